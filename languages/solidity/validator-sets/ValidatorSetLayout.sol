// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

struct Validator {
    /// Receives the fees of the blocks that it proposes, and may change its keys.
    address account;
    uint64 weight;
    uint16 port;
    /// Public key of the set's scheme, and the proof that its owner has the secret one.
    bytes consensusKey;
    bytes proofOfPossession;
    /// Of the kind that genesis names; all of a set have the same length.
    bytes transportKey;
    /// For people and logs.
    string name;
    /// Where the others find it at first.
    string host;
}

/// What the account of the validator set (0x000000000000000000000000000000000056a11d) keeps, in the slots where every node reads
/// it: core/execution/validator-set.ts. At the height that decides an epoch's successor, nodes call `sealEpoch(uint64)` and then
/// read these slots. They check what they read once more and verify the proofs of possession, which a contract cannot do cheaply.
abstract contract ValidatorSetLayout {
    uint256 public formatVersion; // slot 0
    uint128 public schemeId; // slot 1
    /// 0: `validators` holds the keys that count; 1: another array does (ManagedValidatorSet).
    uint128 internal keyPlace; // slot 1
    Validator[] internal validators; // slot 2

    uint256 internal constant MAX_NAME_BYTES = 64;
    /// Letters, digits, dot, underscore and hyphen; a host may have colons besides. One bit for each character.
    uint256 internal constant NAME_CHARACTERS = 0x07fffffe87fffffe03ff600000000000;
    uint256 internal constant HOST_CHARACTERS = 0x07fffffe87fffffe07ff600000000000;

    error WrongKeyLength();
    /// Validators cannot vote by it.
    error WrongScheme(uint256 schemeId);
    error WrongName();
    error WrongHost();
    error WrongPort();
    /// Somebody has this consensus or transport key.
    error KeyTaken(bytes key);

    /// How many validators the next set to be read has.
    function validatorCount() external view returns (uint256) {
        return validators.length;
    }

    function validatorAt(uint256 index) external view virtual returns (Validator memory) {
        return validators[index];
    }

    function checkKeys(bytes calldata consensusKey, bytes calldata proof, bytes calldata transportKey) internal view {
        checkConsensusKey(schemeId, consensusKey, proof);
        checkTransportKey(transportKey);
    }

    function checkConsensusKey(uint256 scheme, bytes calldata key, bytes calldata proof) internal pure {
        (uint256 keyLength, uint256 proofLength) = lengthsOf(scheme);
        if (key.length != keyLength || proof.length != proofLength) revert WrongKeyLength();
    }

    /// Genesis fixes the kind of transport keys: new ones are as long as those that are there.
    function checkTransportKey(bytes calldata key) internal view {
        if (key.length != validators[0].transportKey.length) revert WrongKeyLength();
    }

    /// Of the schemes that validators vote by (core/crypto/validator-scheme.ts): bytes of a public key and of a proof of possession.
    function lengthsOf(uint256 scheme) internal pure returns (uint256 keyLength, uint256 proofLength) {
        if (scheme == 1) return (48, 96); // BLS12-381
        if (scheme == 5) return (64, 64); // SM2
        if (scheme == 6) return (1312, 2420); // ML-DSA-44
        if (scheme == 7) return (1952, 3309); // ML-DSA-65
        revert WrongScheme(scheme);
    }

    function checkEndpoint(string calldata host, uint16 port, uint256 maxHostBytes) internal pure {
        if (!isText(bytes(host), maxHostBytes, HOST_CHARACTERS)) revert WrongHost();
        if (port == 0) revert WrongPort();
    }

    function isText(bytes calldata text, uint256 maxBytes, uint256 characters) internal pure returns (bool) {
        if (text.length == 0 || text.length > maxBytes) return false;
        for (uint256 i = 0; i < text.length; i++) {
            if ((characters >> uint8(text[i])) & 1 == 0) return false;
        }
        return true;
    }
}
