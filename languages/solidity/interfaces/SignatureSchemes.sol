// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Ids of signature schemes (core/crypto/schemes.ts): permanent, because they are signed and hashed. Lengths are in bytes. Keys of elliptic
/// curves are x || y (Ed25519's: compressed), signatures r || s.
library SignatureSchemes {
    /// Signature r || s || yParity, low s, over keccak256 of the message.
    uint8 internal constant SECP256K1 = 2;
    /// Low s, over SHA-256 of the message.
    uint8 internal constant P256 = 3;
    uint8 internal constant ED25519 = 4;
    /// Over SM3(ZA || message), ZA of the identifier 1234567812345678.
    uint8 internal constant SM2 = 5;
    uint8 internal constant ML_DSA_44 = 6;
    uint8 internal constant ML_DSA_65 = 7;
    uint8 internal constant ML_DSA_87 = 8;
    uint8 internal constant SLH_DSA_SHA2_128S = 9;
    /// Experimental: its standard is not final.
    uint8 internal constant FALCON_512 = 10;
    /// A passkey: x || y || SHA-256 of the relying party's id; the signature is a whole assertion (core/crypto/webauthn.ts).
    uint8 internal constant WEBAUTHN_P256 = 11;

    uint256 internal constant MAX_WEBAUTHN_SIGNATURE = 1024;

    /// Whether the scheme is believed to withstand quantum computers.
    function isPostQuantum(uint8 scheme) internal pure returns (bool) {
        return scheme >= ML_DSA_44 && scheme <= FALCON_512;
    }

    /// Of its public keys. 0: no scheme that contracts can verify.
    function publicKeyLength(uint8 scheme) internal pure returns (uint256) {
        if (scheme == SECP256K1 || scheme == P256 || scheme == SM2) return 64;
        if (scheme == ED25519 || scheme == SLH_DSA_SHA2_128S) return 32;
        if (scheme == ML_DSA_44) return 1312;
        if (scheme == ML_DSA_65) return 1952;
        if (scheme == ML_DSA_87) return 2592;
        if (scheme == FALCON_512) return 897;
        if (scheme == WEBAUTHN_P256) return 96;
        return 0;
    }
}
