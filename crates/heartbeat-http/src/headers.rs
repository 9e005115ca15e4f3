use http::header::{CACHE_CONTROL, Entry};
use http::{HeaderMap, HeaderName, HeaderValue};

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const NO_TRANSFORM: &str = "no-transform";

/// Asks proxies not to buffer the response and not to compress it, which would buffer it too.
pub(crate) fn disable_proxy_buffering(headers: &mut HeaderMap) {
    if let Entry::Vacant(entry) = headers.entry(X_ACCEL_BUFFERING) {
        entry.insert(HeaderValue::from_static("no"));
    }
    if headers.get_all(CACHE_CONTROL).iter().any(has_no_transform) {
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

fn has_no_transform(value: &HeaderValue) -> bool {
    let value = value.to_str().unwrap_or_default();
    value.split(',').any(|directive| directive.trim().eq_ignore_ascii_case(NO_TRANSFORM))
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
