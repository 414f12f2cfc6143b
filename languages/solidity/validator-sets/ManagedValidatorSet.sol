// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Validator, ValidatorSetLayout} from "./ValidatorSetLayout.sol";

/// An owner decides who validates; each validator changes its own keys and host. What is changed here counts from the next epoch
/// whose set has not been read yet. Validators are named by their consensus keys.
///
/// The signature scheme changes for all at once: the owner begins, each validator hands in a key of the next scheme, and with the last of them
/// the keys in the other place count. Nothing is copied then, so it costs the same for four validators and for a thousand.
///
/// Genesis puts the code at its address and writes the slots itself (core/execution/validator-set-contracts.ts); there is no constructor.
contract ManagedValidatorSet is ValidatorSetLayout {
    struct KeyPair {
        bytes consensusKey;
        bytes proofOfPossession;
    }

    address public owner; // slot 3
    /// Of all validators; below 2^53.
    uint64 public totalWeight; // slot 3
    /// keccak256 of a consensus or transport key -> index of the validator that has it, plus one.
    mapping(bytes32 => uint256) private seatOf; // slot 4
    /// By the validators' indices: the keys that count where `keyPlace` is 1; otherwise those of the next scheme, or of the one before.
    mapping(uint256 => KeyPair) private otherKeys; // slot 5
    /// The scheme that the set is about to change to; 0: none.
    uint128 public nextSchemeId; // slot 6
    /// How many validators have handed in a key of it.
    uint128 public readyCount; // slot 6
    /// Counts changes of scheme that were begun.
    uint256 private change; // slot 7
    /// keccak256 of a validator's key that counts -> the change for which it has handed in its next one.
    mapping(bytes32 => uint256) private readyFor; // slot 8

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
    /// 0: the change that had begun is called off.
    event SchemeChangeBegun(uint256 schemeId);
    event NextKeySet(address indexed account, bytes consensusKey, bytes nextKey);
    event SchemeChanged(uint256 previousScheme, uint256 newScheme);
    event EndpointChanged(address indexed account, bytes consensusKey, string host, uint16 port);

    error NotOwner(address caller);
    error NotThisValidator(address caller);
    error UnknownValidator(bytes consensusKey);
    error ZeroAddress();
    error ZeroWeight();
    error TooMuchWeight();
    error TooManyValidators();
    error NoSchemeChange();
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
        uint256 count = validators.length;
        if (count == MAX_VALIDATORS) revert TooManyValidators();
        checkKeys(added.consensusKey, added.proofOfPossession, added.transportKey);
        checkEndpoint(added.host, added.port, MAX_HOST_BYTES);
        if (!isText(bytes(added.name), MAX_NAME_BYTES, NAME_CHARACTERS)) revert WrongName();
        changeWeight(0, added.weight);
        Validator storage validator = validators.push();
        validator.account = added.account;
        validator.weight = added.weight;
        validator.port = added.port;
        validator.transportKey = added.transportKey;
        validator.name = added.name;
        validator.host = added.host;
        putKeys(keyPlace, count, added.consensusKey, added.proofOfPossession);
        takeKey(added.consensusKey, count + 1);
        takeKey(added.transportKey, count + 1);
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
        if (isReady(keccak256(consensusKey))) readyCount--;
        setSeat(seat, 0);
        if (seat != count) {
            setSeat(count, seat);
            validators[seat - 1] = validators[count - 1];
            otherKeys[seat - 1] = otherKeys[count - 1];
        }
        validators.pop();
        delete otherKeys[count - 1];
        changeIfAllAreReady();
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
        checkConsensusKey(schemeId, newKey, newProof);
        bytes32 previous = keccak256(consensusKey);
        if (isReady(previous)) readyFor[keccak256(newKey)] = change;
        delete seatOf[previous];
        takeKey(newKey, seat);
        putKeys(keyPlace, seat - 1, newKey, newProof);
        emit ConsensusKeyChanged(validator.account, consensusKey, newKey);
    }

    /// Begins the change to another signature scheme, or calls it off (0). Keys that were handed in for a change that was called off count no more.
    function changeScheme(uint128 scheme) external onlyOwner {
        if (scheme != 0) lengthsOf(scheme);
        if (scheme == schemeId) revert WrongScheme(scheme);
        change++;
        nextSchemeId = scheme;
        readyCount = 0;
        emit SchemeChangeBegun(scheme);
    }

    /// A validator's key of the next scheme. Until an epoch begins whose set is of that scheme, it signs with the key that it has: it keeps both.
    function setNextKey(bytes calldata consensusKey, bytes calldata nextKey, bytes calldata nextProof) external {
        (Validator storage validator, uint256 seat) = own(consensusKey);
        if (nextSchemeId == 0) revert NoSchemeChange();
        checkConsensusKey(nextSchemeId, nextKey, nextProof);
        bytes memory replaced = keyIn(1 - keyPlace, seat - 1);
        if (replaced.length != 0) delete seatOf[keccak256(replaced)];
        takeKey(nextKey, seat);
        putKeys(1 - keyPlace, seat - 1, nextKey, nextProof);
        bytes32 current = keccak256(consensusKey);
        if (!isReady(current)) readyCount++;
        readyFor[current] = change;
        emit NextKeySet(validator.account, consensusKey, nextKey);
        changeIfAllAreReady();
    }

    function validatorAt(uint256 index) external view override returns (Validator memory validator) {
        validator = validators[index];
        if (keyPlace == 0) return validator;
        validator.consensusKey = otherKeys[index].consensusKey;
        validator.proofOfPossession = otherKeys[index].proofOfPossession;
    }

    /// The key that a validator has handed in for the change that has begun; empty if it has not.
    function nextKeyAt(uint256 index) external view returns (bytes memory) {
        return isReady(keccak256(keyIn(keyPlace, index))) ? keyIn(1 - keyPlace, index) : bytes("");
    }

    function setTransportKey(bytes calldata consensusKey, bytes calldata transportKey) external {
        (Validator storage validator, uint256 seat) = own(consensusKey);
        checkTransportKey(transportKey);
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
        bytes32 hash = keccak256(consensusKey);
        seat = seatOf[hash];
        // Transport keys, and keys of the other scheme, have a seat too, and name nobody.
        if (seat == 0 || keccak256(keyIn(keyPlace, seat - 1)) != hash) revert UnknownValidator(consensusKey);
    }

    /// Gives all keys of a validator another seat; 0: none.
    function setSeat(uint256 seat, uint256 newSeat) private {
        seatOf[keccak256(validators[seat - 1].transportKey)] = newSeat;
        for (uint256 place = 0; place <= 1; place++) {
            bytes memory key = keyIn(place, seat - 1);
            if (key.length != 0) seatOf[keccak256(key)] = newSeat;
        }
    }

    function keyIn(uint256 place, uint256 index) private view returns (bytes memory) {
        return place == 0 ? validators[index].consensusKey : otherKeys[index].consensusKey;
    }

    function putKeys(uint256 place, uint256 index, bytes calldata key, bytes calldata proof) private {
        if (place == 0) {
            validators[index].consensusKey = key;
            validators[index].proofOfPossession = proof;
        } else {
            otherKeys[index].consensusKey = key;
            otherKeys[index].proofOfPossession = proof;
        }
    }

    function isReady(bytes32 keyHash) private view returns (bool) {
        return nextSchemeId != 0 && readyFor[keyHash] == change;
    }

    function changeIfAllAreReady() private {
        if (nextSchemeId == 0 || readyCount != validators.length) return;
        emit SchemeChanged(schemeId, nextSchemeId);
        schemeId = nextSchemeId;
        keyPlace = 1 - keyPlace;
        nextSchemeId = 0;
        readyCount = 0;
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
