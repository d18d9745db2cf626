//! Signatures of ID tokens, verified with ring, which TLS uses, too. Nothing is signed here.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature as ring;
use std::sync::Once;

/// Accepted algorithms: all have a public key. With a shared secret, everyone who knows the secret could sign.
pub(crate) const ACCEPTED: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

static RING: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    // Keys are only read from their published form.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Lets the library use ring; further calls do nothing.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // It fails only if another part of the process has installed one.
        let _ = RING.install_default();
    });
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(new_error(ErrorKind::InvalidAlgorithm))
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if !ACCEPTED.contains(algorithm) || key.family() != algorithm.family() {
        return Err(new_error(ErrorKind::InvalidAlgorithm));
    }
    Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.clone() }))
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        let verified = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let parameters = rsa(self.algorithm).ok_or_else(signature::Error::new)?;
                let key = ring::RsaPublicKeyComponents { n: without_zeros(n), e: without_zeros(e) };
                key.verify(parameters, message, signature)
            }
            DecodingKeyKind::SecretOrDer(bytes) => {
                let curve = curve(self.algorithm).ok_or_else(signature::Error::new)?;
                ring::UnparsedPublicKey::new(curve, bytes).verify(message, signature)
            }
        };
        verified.map_err(|_| signature::Error::new())
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static ring::RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &ring::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &ring::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &ring::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &ring::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &ring::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &ring::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn ring::VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::ES256 => &ring::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &ring::ECDSA_P384_SHA384_FIXED,
        Algorithm::EdDSA => &ring::ED25519,
        _ => return None,
    })
}

/// ring rejects leading zeros, which some providers publish.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Example of RFC 7515, appendix A.3.
    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    const MESSAGE: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                           cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    #[test]
    fn the_signature_of_the_standard_is_verified() {
        install();
        let key = DecodingKey::from_ec_components(X, Y).unwrap();
        let verify = |message: &str, algorithm| {
            jsonwebtoken::crypto::verify(SIGNATURE, message.as_bytes(), &key, algorithm)
        };
        assert!(verify(MESSAGE, Algorithm::ES256).unwrap());
        assert!(!verify(&MESSAGE.replace("eyJhbGci", "eyJhbGcj"), Algorithm::ES256).unwrap());
        assert!(!verify(MESSAGE, Algorithm::ES384).unwrap());
    }

    #[test]
    fn a_public_key_is_never_used_as_a_shared_secret() {
        install();
        let key = DecodingKey::from_ec_components(X, Y).unwrap();
        let secret = DecodingKey::from_secret(X.as_bytes()).unwrap();
        for key in [key, secret] {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512, Algorithm::RS256] {
                assert!(jsonwebtoken::crypto::verify(SIGNATURE, b"", &key, algorithm).is_err());
            }
        }
    }

    #[test]
    fn leading_zeros_of_a_number_are_left_out() {
        assert_eq!(without_zeros(&[0, 0, 1, 0]), [1, 0]);
        assert_eq!(without_zeros(&[1]), [1]);
        assert_eq!(without_zeros(&[0]), [0u8; 0]);
    }
}
