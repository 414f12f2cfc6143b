// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Staker, StakingLayout} from "./StakingLayout.sol";

/// What somebody hands in to become a validator.
struct Registration {
    /// BLS12-381, compressed: 48 bytes, and 96 of the proof that its owner has the secret one.
    bytes consensusKey;
    bytes proofOfPossession;
    /// Ed25519, 32 bytes.
    bytes transportKey;
    /// P-256, compressed: 33 bytes. It cannot be changed, because what it draws must be fixed before it is known.
    bytes vrfKey;
    /// Signature of the consensus key that it shall be the sender's: 96 bytes. Keys and proofs are public, and may be anybody's copy.
    bytes consent;
    string name;
    string host;
    uint16 port;
    uint16 commission;
}

/// Who may be a validator, by which keys, and where it is found.
///
/// A key that was handed in once stays its staker's for good: who has slashed or retired keys cannot bring them in again, and old votes
/// can still be held against whoever made them.
abstract contract StakingKeys is StakingLayout {
    uint256 private constant CONSENSUS_KEY_BYTES = 48;
    uint256 private constant PROOF_BYTES = 96;
    uint256 private constant TRANSPORT_KEY_BYTES = 32;
    uint256 private constant VRF_KEY_BYTES = 33;
    uint256 private constant MAX_NAME_BYTES = 32;
    uint256 private constant MAX_HOST_BYTES = 64;
    /// Letters, digits, dot, underscore and hyphen; a host may have colons besides. One bit for each character.
    uint256 private constant NAME_CHARACTERS = 0x07fffffe87fffffe03ff600000000000;
    uint256 private constant HOST_CHARACTERS = 0x07fffffe87fffffe07ff600000000000;

    /// The node goes on with its old key until the next set begins: it keeps both.
    function rotateConsensusKey(bytes calldata newKey, bytes calldata newProof, bytes calldata consent)
        external
        whenActive
    {
        (uint256 staker, Staker storage own) = ownStaker();
        mustStand(own);
        checkConsent(newKey, newProof, consent);
        take(newKey, staker);
        writeConsensusKey(own, newKey, newProof);
        emit ConsensusKeyChanged(staker, newKey);
    }

    function setTransportKey(bytes calldata newKey) external whenActive {
        (uint256 staker, Staker storage own) = ownStaker();
        mustStand(own);
        if (newKey.length != TRANSPORT_KEY_BYTES) revert WrongKeyLength();
        take(newKey, staker);
        own.transportKey = bytes32(newKey);
        emit TransportKeyChanged(staker, newKey);
    }

    function setEndpoint(string calldata host, uint16 port) external whenActive {
        (uint256 staker, Staker storage own) = ownStaker();
        mustStand(own);
        writeEndpoint(own, host, port);
        emit EndpointChanged(staker, host, port);
    }

    /// Down at will, up by a step an epoch.
    function setCommission(uint16 commission) external whenActive {
        (uint256 staker, Staker storage own) = ownStaker();
        mustStand(own);
        uint32 epoch = clock_.epoch;
        uint256 most = own.commission;
        if (own.commissionEpoch != epoch) most += MAX_COMMISSION_STEP;
        if (most > MAX_COMMISSION) most = MAX_COMMISSION;
        if (commission > most) revert TooMuchCommission(most);
        if (commission > own.commission) own.commissionEpoch = epoch;
        own.commission = commission;
        emit CommissionChanged(staker, commission);
    }

    /// The consensus key was checked. @return staker its number, from 1.
    function enroll(address operator, Registration memory added) internal returns (uint256 staker) {
        if (stakerOf[operator] != 0) revert AlreadyAnOperator(operator);
        if (added.transportKey.length != TRANSPORT_KEY_BYTES || added.vrfKey.length != VRF_KEY_BYTES) {
            revert WrongKeyLength();
        }
        if (added.commission > MAX_COMMISSION) revert TooMuchCommission(MAX_COMMISSION);
        if (!isText(bytes(added.name), MAX_NAME_BYTES, NAME_CHARACTERS)) revert WrongName();
        Staker storage own = stakers.push();
        staker = stakers.length;
        take(added.consensusKey, staker);
        take(added.transportKey, staker);
        take(added.vrfKey, staker);
        stakerOf[operator] = staker;
        own.operator = operator;
        own.commission = added.commission;
        // What a newcomer says of its commission holds for the epoch.
        own.commissionEpoch = clock_.epoch;
        own.name = bytes32(bytes(added.name));
        own.transportKey = bytes32(added.transportKey);
        own.vrfKeyPrefix = uint8(added.vrfKey[0]);
        own.vrfKeyTail = wordAt(added.vrfKey, 1);
        writeConsensusKey(own, added.consensusKey, added.proofOfPossession);
        writeEndpoint(own, added.host, added.port);
        emit Registered(staker, operator, added.consensusKey, added.vrfKey, added.name);
    }

    /// A free place, or that of a candidate with less than half the stake: who fills all places with little stake keeps nobody out.
    function becomeCandidate(uint256 staker, Staker storage own, uint256 displaced) internal {
        if (candidates.length < MAX_CANDIDATES) {
            candidates.push(uint32(staker));
            own.place = uint32(candidates.length);
            return;
        }
        Staker storage other = stakerAt(displaced);
        uint32 place = other.place;
        if (place == 0 || uint256(other.bonded) * 2 > own.bonded) revert NoRoom();
        (other.place, other.snapshotEven, other.snapshotOdd) = (0, 0, 0);
        candidates[place - 1] = uint32(staker);
        own.place = place;
        emit Displaced(displaced);
    }

    /// Neither tombstoned nor gone.
    function mustStand(Staker storage own) internal view {
        if (own.status & TOMBSTONED != 0) revert IsTombstoned();
        if (own.status & EXITED != 0) revert HasExited();
    }

    function consensusKeyOf(Staker storage own) internal view returns (bytes memory) {
        return bytes.concat(own.consensusKeyHead, own.consensusKeyTail);
    }

    function vrfKeyOf(Staker storage own) internal view returns (bytes memory) {
        return bytes.concat(bytes1(own.vrfKeyPrefix), own.vrfKeyTail);
    }

    function take(bytes memory key, uint256 staker) private {
        bytes32 hash = keccak256(key);
        if (holderOf[hash] != 0) revert KeyTaken(key);
        holderOf[hash] = staker;
    }

    /// What a consensus key signs to become an account's.
    function consentMessage(address operator) public view returns (bytes32) {
        return keccak256(abi.encodePacked("ostrom/staking/consent", block.chainid, operator));
    }

    /// Here, and not when the set is read: a set with a key that is not proved could be refused as a whole.
    function checkPossession(bytes memory key, bytes memory proof) internal view {
        askPossession(key, proof, "");
    }

    function checkConsent(bytes memory key, bytes memory proof, bytes memory consent) internal view {
        if (consent.length != PROOF_BYTES) revert WrongKeyLength();
        askPossession(key, proof, bytes.concat(consent, consentMessage(msg.sender)));
    }

    function askPossession(bytes memory key, bytes memory proof, bytes memory more) private view {
        if (key.length != CONSENSUS_KEY_BYTES || proof.length != PROOF_BYTES) revert WrongKeyLength();
        (bool answered, bytes memory output) = POSSESSION_PRECOMPILE.staticcall(bytes.concat(key, proof, more));
        if (!answered || output.length != 32) revert PossessionNotProved();
    }

    function writeConsensusKey(Staker storage own, bytes memory key, bytes memory proof) private {
        own.consensusKeyHead = wordAt(key, 0);
        own.consensusKeyTail = bytes16(wordAt(key, 32));
        own.proofOfPossession = [wordAt(proof, 0), wordAt(proof, 32), wordAt(proof, 64)];
    }

    function writeEndpoint(Staker storage own, string memory host, uint16 port) private {
        bytes memory text = bytes(host);
        if (!isText(text, MAX_HOST_BYTES, HOST_CHARACTERS)) revert WrongHost();
        if (port == 0) revert WrongPort();
        own.host = [wordAt(text, 0), wordAt(text, 32)];
        own.port = port;
    }

    /// 32 bytes from an offset on, with zeros after the end.
    function wordAt(bytes memory data, uint256 offset) private pure returns (bytes32 word) {
        if (offset >= data.length) return 0;
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), offset))
        }
        uint256 present = data.length - offset;
        if (present < 32) word = bytes32((uint256(word) >> (8 * (32 - present))) << (8 * (32 - present)));
    }

    function isText(bytes memory text, uint256 maxBytes, uint256 characters) private pure returns (bool) {
        if (text.length == 0 || text.length > maxBytes) return false;
        for (uint256 i = 0; i < text.length; i++) {
            if ((characters >> uint8(text[i])) & 1 == 0) return false;
        }
        return true;
    }
}
