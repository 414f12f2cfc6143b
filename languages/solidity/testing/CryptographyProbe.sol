// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381} from "Bls12381.sol";
import {P256} from "P256.sol";
import {Signatures} from "Signatures.sol";
import {SignatureSchemes} from "SignatureSchemes.sol";
import {Sm3} from "Sm3.sol";

/// Puts each library of interfaces/ to use, for the tests alone.
contract CryptographyProbe {
    function verify(
        uint8 scheme,
        bytes memory publicKey,
        bytes memory message,
        bytes memory signature,
        bytes memory context
    ) external view returns (bool) {
        return Signatures.verify(scheme, publicKey, message, signature, context);
    }

    function verifyHash(uint8 scheme, bytes memory publicKey, bytes32 hash, bytes memory signature)
        external
        view
        returns (bool)
    {
        return Signatures.verifyHash(scheme, publicKey, hash, signature);
    }

    function describe(uint8 scheme) external pure returns (uint256 publicKeyLength, bool isPostQuantum) {
        return (SignatureSchemes.publicKeyLength(scheme), SignatureSchemes.isPostQuantum(scheme));
    }

    function sm3(bytes memory data) external view returns (bytes32) {
        return Sm3.hash(data);
    }

    function p256(bytes32 hash, bytes32 r, bytes32 s, bytes32 x, bytes32 y) external view returns (bool) {
        return P256.verify(hash, r, s, x, y);
    }

    /// Whether adding a point of G1 to itself is multiplying it by two.
    function blsDoubles(bytes memory point) external view returns (bool) {
        bytes memory added = Bls12381.addG1(point, point);
        return keccak256(added) == keccak256(Bls12381.multiplyG1(bytes.concat(point, bytes32(uint256(2)))));
    }

    /// Whether a pairing with a point and one with its negation cancel.
    function blsCancels(bytes memory g1, bytes memory negatedG1, bytes memory g2) external view returns (bool) {
        return Bls12381.pairing(bytes.concat(g1, g2, negatedG1, g2));
    }

    /// Whether what is mapped to G2 lies in the group, so that it can be multiplied; and whether both maps answer.
    function blsMaps(bytes memory element1, bytes memory element2) external view returns (bool) {
        bytes memory point = Bls12381.mapToG2(element2);
        bytes memory doubled = Bls12381.multiplyG2(bytes.concat(point, bytes32(uint256(2))));
        return Bls12381.mapToG1(element1).length == 128
            && keccak256(Bls12381.addG2(point, point)) == keccak256(doubled);
    }
}
