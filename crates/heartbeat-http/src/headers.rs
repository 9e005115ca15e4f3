use http::header::{CACHE_CONTROL, CONTENT_ENCODING, Entry};
use http::{HeaderMap, HeaderName, HeaderValue};

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const NO_TRANSFORM: &str = "no-transform";

/// Asks proxies not to buffer the response and not to compress it, which would buffer it too.
pub(crate) fn disable_proxy_buffering(headers: &mut HeaderMap) {
    if let Entry::Vacant(entry) = headers.entry(X_ACCEL_BUFFERING) {
        entry.insert(HeaderValue::from_static("no"));
    }
    let no_transform = NO_TRANSFORM.as_bytes();
    if list_members(headers, &CACHE_CONTROL).any(|it| it.eq_ignore_ascii_case(no_transform)) {
        return;
    }
    match headers.entry(CACHE_CONTROL) {
        Entry::Vacant(entry) => {
            entry.insert(HeaderValue::from_static(NO_TRANSFORM));
        }
        Entry::Occupied(mut entry) => {
            // In the same line: some proxies ignore a second one.
            let value = [entry.get().as_bytes(), b", ", NO_TRANSFORM.as_bytes()].concat();
            match HeaderValue::from_bytes(&value) {
                Ok(value) => *entry.get_mut() = value,
                Err(_) => entry.append(HeaderValue::from_static(NO_TRANSFORM)), // not reached: both parts are valid
            }
        }
    }
}

/// Whether the body is encoded as a whole. Servers use `identity` or `none` to switch compression off.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    let is_identity = |coding: &[u8]| {
        [&b"identity"[..], b"none"].iter().any(|name| coding.eq_ignore_ascii_case(name))
    };
    list_members(headers, &CONTENT_ENCODING).any(|coding| !is_identity(coding))
}

/// The members of a header whose value is a list, from all its lines. Commas in quotes separate nothing, and empty members
/// are ignored (RFC 9110, section 5.6.1).
pub(crate) fn list_members<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).iter().flat_map(|value| {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let members = value.as_bytes().split(move |byte| {
            let escaped = std::mem::take(&mut is_escaped);
            match byte {
                b'\\' => is_escaped = is_quoted && !escaped,
                b'"' if !escaped => is_quoted = !is_quoted,
                _ => {}
            }
            *byte == b',' && !is_quoted
        });
        members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of `Cache-Control` after the call.
    fn cache_control(values: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
        }
        disable_proxy_buffering(&mut headers);
        let values = headers.get_all(CACHE_CONTROL).iter();
        values.map(|value| value.to_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn no_transform_is_appended() {
        assert_eq!(cache_control(&[]), ["no-transform"]);
        assert_eq!(cache_control(&["no-cache"]), ["no-cache, no-transform"]);
        assert_eq!(
            cache_control(&["no-cache", "no-store"]),
            ["no-cache, no-transform", "no-store"]
        );
    }

    #[test]
    fn no_transform_is_not_repeated() {
        assert_eq!(cache_control(&["no-cache,No-Transform"]), ["no-cache,No-Transform"]);
        assert_eq!(cache_control(&["no-store", "no-transform"]), ["no-store", "no-transform"]);
    }

    #[test]
    fn commas_in_quotes_separate_nothing() {
        let value = HeaderValue::from_static(r#" a ,, b="c, \", d", e\, f"#);
        let headers = HeaderMap::from_iter([(CACHE_CONTROL, value)]);
        let members: Vec<_> = list_members(&headers, &CACHE_CONTROL).collect();
        assert_eq!(members, [&b"a"[..], br#"b="c, \", d""#, br"e\", b"f"]);
    }

    #[test]
    fn the_buffering_header_of_the_response_is_kept() {
        let mut headers = HeaderMap::new();
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("yes"));
        disable_proxy_buffering(&mut headers);
        assert_eq!(headers[X_ACCEL_BUFFERING], "yes");
        headers.clear();
        disable_proxy_buffering(&mut headers);
        assert_eq!(headers[X_ACCEL_BUFFERING], "no");
    }
}
