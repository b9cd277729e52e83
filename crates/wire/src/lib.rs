//! Bytes and shapes that cross a boundary: signed operations, HTTP bodies, errors.
