//! Digests of texts, as they are written down.

use sha2::{Digest, Sha256};

/// The first `bytes` of the SHA-256 of a text, two hexadecimal digits each.
#[must_use]
pub fn digest(text: &str, bytes: usize) -> String {
    let digest = Sha256::digest(text);
    digest
        .iter()
        .take(bytes)
        .map(|b| format!("{b:02x}"))
        .collect()
}
