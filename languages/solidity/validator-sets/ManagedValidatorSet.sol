// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Validator, ValidatorSetLayout} from "./ValidatorSetLayout.sol";

/// An owner decides who validates; each validator changes its own keys and host. What is changed here counts from the next epoch
/// whose set has not been read yet. Validators are named by their consensus keys.
///
/// Genesis puts the code at its address and writes the slots itself (core/execution/validator-set-contracts.ts); there is no constructor.
contract ManagedValidatorSet is ValidatorSetLayout {
    address public owner; // slot 3
    /// Of all validators; below 2^53.
    uint64 public totalWeight; // slot 3
    /// keccak256 of a consensus or transport key -> index of the validator that has it, plus one.
    mapping(bytes32 => uint256) private seatOf; // slot 4

    uint256 private constant MAX_VALIDATORS = 1024;
    uint256 private constant MAX_TOTAL_WEIGHT = 2 ** 53 - 1;
    uint256 private constant MAX_HOST_BYTES = 253;

    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);
    event ValidatorAdded(address indexed account, bytes consensusKey, uint64 weight);
    event ValidatorRemoved(address indexed account, bytes consensusKey);
    event WeightChanged(address indexed account, bytes consensusKey, uint64 weight);
    event AccountChanged(address indexed previousAccount, address indexed newAccount, bytes consensusKey);
    event ConsensusKeyChanged(address indexed account, bytes previousKey, bytes newKey);
    event TransportKeyChanged(address indexed account, bytes consensusKey, bytes transportKey);
    event EndpointChanged(address indexed account, bytes consensusKey, string host, uint16 port);

    error NotOwner(address caller);
    error NotThisValidator(address caller);
    error UnknownValidator(bytes consensusKey);
    error ZeroAddress();
    error ZeroWeight();
    error TooMuchWeight();
    error TooManyValidators();
    /// A chain without validators would stand still for good.
    error LastValidator();

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    function transferOwnership(address newOwner) external onlyOwner {
        if (newOwner == address(0)) revert ZeroAddress();
        emit OwnershipTransferred(owner, newOwner);
        owner = newOwner;
    }

    function addValidator(Validator calldata added) external onlyOwner {
        if (validators.length == MAX_VALIDATORS) revert TooManyValidators();
        checkKeys(added.consensusKey, added.proofOfPossession, added.transportKey);
        checkEndpoint(added.host, added.port, MAX_HOST_BYTES);
        if (!isText(bytes(added.name), MAX_NAME_BYTES, NAME_CHARACTERS)) revert WrongName();
        changeWeight(0, added.weight);
        validators.push(added);
        takeKey(added.consensusKey, validators.length);
        takeKey(added.transportKey, validators.length);
        emit ValidatorAdded(added.account, added.consensusKey, added.weight);
    }

    /// The last validator of the list takes the place of the one that goes.
    function removeValidator(bytes calldata consensusKey) external onlyOwner {
        uint256 seat = seatOfValidator(consensusKey);
        uint256 count = validators.length;
        if (count == 1) revert LastValidator();
        Validator storage removed = validators[seat - 1];
        emit ValidatorRemoved(removed.account, consensusKey);
        totalWeight -= removed.weight;
        delete seatOf[keccak256(consensusKey)];
        delete seatOf[keccak256(removed.transportKey)];
        if (seat != count) {
            Validator storage moved = validators[count - 1];
            seatOf[keccak256(moved.consensusKey)] = seat;
            seatOf[keccak256(moved.transportKey)] = seat;
            validators[seat - 1] = moved;
        }
        validators.pop();
    }

    function setWeight(bytes calldata consensusKey, uint64 weight) external onlyOwner {
        Validator storage validator = validators[seatOfValidator(consensusKey) - 1];
        changeWeight(validator.weight, weight);
        validator.weight = weight;
        emit WeightChanged(validator.account, consensusKey, weight);
    }

    /// The account that receives a validator's fees and may change its keys: given by the owner, or on by itself.
    function setAccount(bytes calldata consensusKey, address account) external {
        Validator storage validator = validators[seatOfValidator(consensusKey) - 1];
        if (msg.sender != owner && msg.sender != validator.account) revert NotThisValidator(msg.sender);
        if (account == address(0)) revert ZeroAddress();
        emit AccountChanged(validator.account, account, consensusKey);
        validator.account = account;
    }

    /// Until the next set begins, the validator signs with its old key: it keeps both.
    function rotateConsensusKey(bytes calldata consensusKey, bytes calldata newKey, bytes calldata newProof) external {
        (Validator storage validator, uint256 seat) = own(consensusKey);
        if (newKey.length != CONSENSUS_KEY_BYTES || newProof.length != PROOF_BYTES) revert WrongKeyLength();
        delete seatOf[keccak256(consensusKey)];
        takeKey(newKey, seat);
        validator.consensusKey = newKey;
        validator.proofOfPossession = newProof;
        emit ConsensusKeyChanged(msg.sender, consensusKey, newKey);
    }

    function setTransportKey(bytes calldata consensusKey, bytes calldata transportKey) external {
        (Validator storage validator, uint256 seat) = own(consensusKey);
        if (transportKey.length != TRANSPORT_KEY_BYTES) revert WrongKeyLength();
        delete seatOf[keccak256(validator.transportKey)];
        takeKey(transportKey, seat);
        validator.transportKey = transportKey;
        emit TransportKeyChanged(msg.sender, consensusKey, transportKey);
    }

    function setEndpoint(bytes calldata consensusKey, string calldata host, uint16 port) external {
        (Validator storage validator,) = own(consensusKey);
        checkEndpoint(host, port, MAX_HOST_BYTES);
        validator.host = host;
        validator.port = port;
        emit EndpointChanged(msg.sender, consensusKey, host, port);
    }

    function own(bytes calldata consensusKey) private view returns (Validator storage validator, uint256 seat) {
        seat = seatOfValidator(consensusKey);
        validator = validators[seat - 1];
        if (msg.sender != validator.account) revert NotThisValidator(msg.sender);
    }

    function seatOfValidator(bytes calldata consensusKey) private view returns (uint256 seat) {
        // A transport key has another length, so that it never names a validator here.
        seat = consensusKey.length == CONSENSUS_KEY_BYTES ? seatOf[keccak256(consensusKey)] : 0;
        if (seat == 0) revert UnknownValidator(consensusKey);
    }

    function takeKey(bytes calldata key, uint256 seat) private {
        bytes32 hash = keccak256(key);
        if (seatOf[hash] != 0) revert KeyTaken(key);
        seatOf[hash] = seat;
    }

    function changeWeight(uint64 before, uint64 weight) private {
        if (weight == 0) revert ZeroWeight();
        uint256 total = uint256(totalWeight) - before + weight;
        if (total > MAX_TOTAL_WEIGHT) revert TooMuchWeight();
        totalWeight = uint64(total);
    }
}
