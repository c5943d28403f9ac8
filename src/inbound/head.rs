//! The bounds of a request's head.

/// The longest request line and headers together. Common proxies stop at 8 to 32 KiB.
pub const HEAD_MAX_BYTES: usize = 64 * 1024;

/// The most headers in one request.
pub const HEADERS_MAX: usize = 100;
