// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

struct Validator {
    /// Receives the fees of the blocks that it proposes, and may change its keys.
    address account;
    uint64 weight;
    uint16 port;
    /// BLS12-381, compressed: 48 bytes of the key, 96 of the proof that its owner has the secret one.
    bytes consensusKey;
    bytes proofOfPossession;
    /// Ed25519, 32 bytes.
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
    uint256 public schemeId; // slot 1
    Validator[] internal validators; // slot 2

    uint256 internal constant CONSENSUS_KEY_BYTES = 48;
    uint256 internal constant PROOF_BYTES = 96;
    uint256 internal constant TRANSPORT_KEY_BYTES = 32;
    uint256 internal constant MAX_NAME_BYTES = 64;
    /// Letters, digits, dot, underscore and hyphen; a host may have colons besides. One bit for each character.
    uint256 internal constant NAME_CHARACTERS = 0x07fffffe87fffffe03ff600000000000;
    uint256 internal constant HOST_CHARACTERS = 0x07fffffe87fffffe07ff600000000000;

    error WrongKeyLength();
    error WrongName();
    error WrongHost();
    error WrongPort();
    /// Somebody has this consensus or transport key.
    error KeyTaken(bytes key);

    /// How many validators the next set to be read has.
    function validatorCount() external view returns (uint256) {
        return validators.length;
    }

    function validatorAt(uint256 index) external view returns (Validator memory) {
        return validators[index];
    }

    function checkKeys(bytes calldata consensusKey, bytes calldata proof, bytes calldata transportKey) internal pure {
        if (
            consensusKey.length != CONSENSUS_KEY_BYTES || proof.length != PROOF_BYTES
                || transportKey.length != TRANSPORT_KEY_BYTES
        ) revert WrongKeyLength();
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
