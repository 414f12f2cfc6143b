// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// By which ML-DSA-44 keys validators certify epoch checkpoints. Nodes read it from storage (core/execution/checkpoint-keys.ts) at the height at
/// which the next epoch's validators are decided: of a validator counts what its own account has registered here for its own consensus key.
///
/// Anybody may write for any consensus key, in a place of the caller's own: what counts is decided by the nodes, who know the validators and
/// verify the consensus key's proof, of whatever scheme that is. A key that is there once is replaced by its own signature alone, so that whoever
/// breaks elliptic curves later cannot put another in its place.
contract CheckpointKeys {
    struct Registration {
        /// keccak256 of the checkpoint key; 0: none.
        bytes32 keyHash;
        /// How many there have been; 0: this one is from genesis, which needs no proof.
        uint64 sequence;
        /// By the consensus key, on `consensusMessage`.
        bytes consensusProof;
    }

    /// By keccak256 of the consensus key, then by account. What genesis names is at account 0, for whichever account the validator has.
    mapping(bytes32 => mapping(address => Registration)) private registrations;

    uint256 public constant KEY_LENGTH = 1312;
    uint256 public constant SIGNATURE_LENGTH = 2420;
    /// A signature of BLS12-381; SM2's are shorter. Who votes by ML-DSA needs no other key.
    uint256 public constant MAX_PROOF_LENGTH = 96;

    address private constant VERIFY_ML_DSA_44 = address(0x76657206);
    bytes private constant CONTEXT = "ostrom/checkpoint-key";
    bytes32 private constant REGISTRATION = keccak256("ostrom/checkpoint-registration/1");

    /// The key itself is in the transaction's input.
    event Registered(bytes32 indexed consensusKeyHash, address indexed account, bytes32 keyHash, uint64 sequence);

    error WrongLength();
    error NotHeld();
    error NotReplaced();

    /// Registers the checkpoint key of the caller's validator.
    /// @param consensusKeyHash keccak256 of its consensus key. @param consensusProof by that key, on "ostrom/checkpoint-registration/1" followed by
    /// `registrationDigest`. @param possession by the new key, on the digest, under the context "ostrom/checkpoint-key".
    /// @param currentKey, approval the key that is replaced, and its signature on the same; empty where there is none.
    function register(
        bytes32 consensusKeyHash,
        bytes calldata checkpointKey,
        bytes calldata consensusProof,
        bytes calldata possession,
        bytes calldata currentKey,
        bytes calldata approval
    ) external {
        if (consensusProof.length == 0 || consensusProof.length > MAX_PROOF_LENGTH) revert WrongLength();
        Registration storage registration = registrations[consensusKeyHash][msg.sender];
        bytes32 keyHash = keccak256(checkpointKey);
        bytes32 digest = registrationDigest(msg.sender, consensusKeyHash, keyHash);
        requireSigned(checkpointKey, possession, digest);
        bytes32 current = registration.keyHash;
        if (current == 0) current = registrations[consensusKeyHash][address(0)].keyHash;
        if (current != 0) {
            if (keccak256(currentKey) != current) revert NotReplaced();
            requireSigned(currentKey, approval, digest);
        }
        registration.keyHash = keyHash;
        registration.sequence++;
        registration.consensusProof = consensusProof;
        emit Registered(consensusKeyHash, msg.sender, keyHash, registration.sequence);
    }

    function registrationOf(bytes32 consensusKeyHash, address account) external view returns (Registration memory) {
        return registrations[consensusKeyHash][account];
    }

    /// What the keys of the account's next registration sign.
    function registrationDigest(address account, bytes32 consensusKeyHash, bytes32 keyHash) public view returns (bytes32) {
        uint64 sequence = registrations[consensusKeyHash][account].sequence + 1;
        return keccak256(abi.encode(REGISTRATION, block.chainid, account, consensusKeyHash, keyHash, sequence));
    }

    function requireSigned(bytes calldata key, bytes calldata signature, bytes32 digest) private view {
        if (key.length != KEY_LENGTH || signature.length != SIGNATURE_LENGTH) revert WrongLength();
        (bool success, bytes memory answer) = VERIFY_ML_DSA_44.staticcall(
            abi.encodePacked(uint16(CONTEXT.length), CONTEXT, uint32(32), digest, key, signature)
        );
        if (!success || answer.length != 32 || abi.decode(answer, (uint256)) != 1) revert NotHeld();
    }
}
