use http::header::{CACHE_CONTROL, Entry};
use http::{HeaderMap, HeaderName, HeaderValue};

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const NO_TRANSFORM: &str = "no-transform";

/// Asks whoever stands between not to hold bytes back, and not to compress them, which comes to the
/// same.
pub(crate) fn let_through(headers: &mut HeaderMap) {
    if let Entry::Vacant(none) = headers.entry(X_ACCEL_BUFFERING) {
        none.insert(HeaderValue::from_static("no"));
    }
    if headers.get_all(CACHE_CONTROL).iter().any(has_no_transform) {
        return;
    }
    match headers.entry(CACHE_CONTROL) {
        Entry::Vacant(none) => {
            none.insert(HeaderValue::from_static(NO_TRANSFORM));
        }
        Entry::Occupied(mut some) => {
            // In the same line: not everybody reads a second one.
            let value = [some.get().as_bytes(), b", ", NO_TRANSFORM.as_bytes()].concat();
            match HeaderValue::from_bytes(&value) {
                Ok(value) => *some.get_mut() = value,
                Err(_) => some.append(HeaderValue::from_static(NO_TRANSFORM)), // cannot be: both are
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

    /// What becomes of the values of `Cache-Control`.
    fn cache_control(values: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
        }
        let_through(&mut headers);
        let values = headers.get_all(CACHE_CONTROL).iter();
        values.map(|value| value.to_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn no_transform_is_appended_to_what_there_is() {
        assert_eq!(cache_control(&[]), ["no-transform"]);
        assert_eq!(cache_control(&["no-cache"]), ["no-cache, no-transform"]);
        assert_eq!(
            cache_control(&["no-cache", "no-store"]),
            ["no-cache, no-transform", "no-store"]
        );
    }

    #[test]
    fn no_transform_is_said_once() {
        assert_eq!(cache_control(&["no-cache,No-Transform"]), ["no-cache,No-Transform"]);
        assert_eq!(cache_control(&["no-store", "no-transform"]), ["no-store", "no-transform"]);
    }

    #[test]
    fn a_say_of_the_response_on_buffering_stands() {
        let mut headers = HeaderMap::new();
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("yes"));
        let_through(&mut headers);
        assert_eq!(headers[X_ACCEL_BUFFERING], "yes");
        headers.clear();
        let_through(&mut headers);
        assert_eq!(headers[X_ACCEL_BUFFERING], "no");
    }
}
