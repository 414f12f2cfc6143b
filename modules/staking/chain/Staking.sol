// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Clock, Committee, Delegation, Member, Settings, Staker, Totals, Unbonding} from "./StakingLayout.sol";
import {Registration} from "./StakingKeys.sol";
import {StakingFunds} from "./StakingFunds.sol";

/// Who validates from genesis on.
struct InitialValidator {
    address operator;
    uint96 stake;
    /// The stake is made, rather than taken from the operator's account.
    bool isGranted;
    Registration registration;
}

/// Validators by stake: bonded, delegated, drawn by verifiable random functions, rewarded, slashed, jailed.
///
/// Nodes themselves do what happens at each block and at an epoch's end, on the same slots (participation.ts, seal-epoch.ts): they count
/// who took part, make the rewards, jail, draw the next committee and take the snapshot that a later one is drawn from.
/// docs/staking-roles.md says what each role may do, and what it cannot.
///
/// The chain puts the code at its address; there is no constructor, and nobody can change the code but by a scheduled version.
contract Staking is StakingFunds {
    uint256 private constant CONSENSUS_KEY_BYTES = 48;
    uint256 private constant MAX_PERCENT = 100;

    /// Called once by the nodes when the module becomes active, and again when a later version or other settings do: then without
    /// validators, and what the chain is named by and what a slash costs stay as they are.
    ///
    /// The stake of initial validators is moved or made by the nodes in the same block, before anything else runs.
    function activate(bytes calldata encoded) external {
        if (msg.sender != SYSTEM) revert NotTheSystem();
        (Settings memory next, InitialValidator[] memory initial) = abi.decode(encoded, (Settings, InitialValidator[]));
        checkSettings(next);
        // Only a genesis, which all have read, says who begins: later, nobody's coins become stake without their consent.
        if (initial.length != 0 && block.number != 1) revert WrongSettings();
        if (settings_.active) {
            if (initial.length != 0 || next.slashPercent != settings_.slashPercent) revert WrongSettings();
            next.genesisHash = settings_.genesisHash;
        } else if (next.genesisHash == 0) {
            // A chain's first block is the only one that can name it: genesis cannot contain its own hash.
            next.genesisHash = blockhash(0);
            if (next.genesisHash == 0) revert WrongSettings();
        }
        next.active = true;
        settings_ = next;
        for (uint256 i = 0; i < initial.length; i++) admit(initial[i]);
    }

    /// Shows what a validator's key draws for the epoch after the round. Anybody may send it: the proof speaks for itself.
    function reveal(uint256 staker, bytes calldata proof) external whenActive {
        Staker storage own = stakerAt(staker);
        mustStand(own);
        if (own.status & JAILED != 0) revert IsJailed();
        uint32 round = clock_.round;
        if (own.revealed == round + 1) revert AlreadyRevealed();
        // Looking back: key and stake were fixed before anybody could know the seed.
        uint96 atStake = round % 2 == 0 ? own.snapshotOdd : own.snapshotEven;
        if (own.place == 0 || atStake == 0) revert NothingAtStake();
        (bool answered, bytes memory output) = VRF_PRECOMPILE.staticcall(bytes.concat(vrfKeyOf(own), proof, sortitionInput()));
        if (!answered || output.length != 32) revert WrongProof();
        own.revealed = round + 1;
        own.output = bytes32(output);
        unchecked {
            drawn += uint256(bytes32(output));
        }
        emit Revealed(staker, round, bytes32(output));
    }

    /// Says that the sender will report something. Who sees a report on its way and sends it first earns nothing by that.
    /// @param commitment keccak256(abi.encode(keccak256(evidence), sender)).
    function announce(bytes32 commitment) external {
        if (announced[commitment] == 0) announced[commitment] = block.number;
    }

    /// Slashes a validator that has contradicted itself. Anybody may report; only who announced it in an earlier block is paid.
    /// @param consensusKey that the two statements are signed with; perhaps one that was rotated away.
    function report(bytes calldata evidence, bytes calldata consensusKey) external whenActive {
        if (consensusKey.length != CONSENSUS_KEY_BYTES) revert WrongKeyLength();
        uint256 staker = holderOf[keccak256(consensusKey)];
        Staker storage accused = stakerAt(staker);
        (uint256 epoch, uint8 kind) = judge(evidence, consensusKey);
        if (slashedIn[staker][epoch] || accused.slashes == MAX_SLASHES) revert AlreadySlashed();
        slashedIn[staker][epoch] = true;
        uint256 saidIn = announced[keccak256(abi.encode(keccak256(evidence), msg.sender))];
        bool isAnnounced = saidIn != 0 && saidIn < block.number;
        slash(staker, accused, epoch, kind, isAnnounced ? msg.sender : address(0));
    }

    /// The sender's validator may be drawn again, once its time is over.
    function unjail() external whenActive {
        (uint256 staker, Staker storage own) = ownStaker();
        mustStand(own);
        if (own.status & JAILED == 0) revert NotJailed();
        if (clock_.epoch < own.jailedUntil) revert StillJailed(own.jailedUntil);
        own.status &= ~JAILED;
        emit Unjailed(staker);
    }

    /// The sender's validator becomes a candidate again, after it was displaced.
    function rejoin(uint256 displaced) external whenActive {
        (uint256 staker, Staker storage own) = ownStaker();
        mustStand(own);
        if (own.place != 0) revert IsCandidate();
        becomeCandidate(staker, own, displaced);
        emit Rejoined(staker);
    }

    function settings() external view returns (Settings memory) {
        return settings_;
    }

    function clock() external view returns (Clock memory) {
        return clock_;
    }

    function totals() external view returns (Totals memory) {
        return totals_;
    }

    /// Of the round.
    function seed() external view returns (bytes32) {
        return seed_;
    }

    /// What keys draw with in this round.
    function sortitionInput() public view returns (bytes32) {
        return keccak256(abi.encodePacked("ostrom/staking/sortition", block.chainid, uint64(clock_.round) + 1, seed_));
    }

    /// Nodes ask at an epoch's end, where nothing better than the leader's word is there yet.
    function blockRandomness() external view returns (uint256) {
        return block.prevrandao;
    }

    function stakerCount() external view returns (uint256) {
        return stakers.length;
    }

    function candidateList() external view returns (uint32[] memory) {
        return candidates;
    }

    function stakerInfo(uint256 staker) external view returns (Staker memory) {
        return stakerAt(staker);
    }

    function operatorOf(uint256 staker) external view returns (address) {
        return stakerAt(staker).operator;
    }

    /// Zero if the account has none.
    function stakerOfOperator(address operator) external view returns (uint256) {
        return stakerOf[operator];
    }

    /// Zero if the key was never handed in.
    function stakerOfKey(bytes calldata key) external view returns (uint256) {
        return holderOf[keccak256(key)];
    }

    function delegationOf(uint256 staker, address delegator) external view returns (uint256 amount, uint256 due) {
        return settled(stakerAt(staker), delegations[staker][delegator]);
    }

    /// @return queue as it was begun. @return amounts what is left of each. @return payableFromEpochs the largest number: not yet known.
    function unbondingsOf(address delegator)
        external
        view
        returns (Unbonding[] memory queue, uint256[] memory amounts, uint256[] memory payableFromEpochs)
    {
        queue = unbondings[delegator];
        amounts = new uint256[](queue.length);
        payableFromEpochs = new uint256[](queue.length);
        for (uint256 i = 0; i < queue.length; i++) {
            amounts[i] = afterSlashes(queue[i].amount, stakers[queue[i].staker - 1].slashes - queue[i].slashes);
            payableFromEpochs[i] = payableFrom(queue[i].countedIn);
        }
    }

    function reportsDue(address reporter) external view returns (uint256) {
        return reporterDue[reporter];
    }

    /// Of an epoch that is under way or decided; empty for others.
    function committeeOf(uint256 epoch) external view returns (Member[] memory members) {
        Committee storage committee = committees[epoch % 2];
        if (committee.epoch == epoch) members = committee.members;
    }

    function checkSettings(Settings memory next) private pure {
        if (
            next.expectedSeats == 0 || next.expectedSeats > MAX_EXPECTED_SEATS || next.minValidators == 0
                || next.maxValidators < next.minValidators || next.maxValidators > MAX_COMMITTEE
                || next.minRevealedPercent >= MAX_PERCENT || next.slashPercent == 0 || next.slashPercent > MAX_PERCENT
                || next.unbondingEpochs < MIN_UNBONDING_EPOCHS || next.evidenceEpochs == 0
                || next.evidenceEpochs >= next.unbondingEpochs || next.jailEpochs == 0 || next.minStake == 0
                || next.minDelegation == 0
        ) revert WrongSettings();
    }

    function admit(InitialValidator memory added) private {
        if (stakers.length == MAX_INITIAL_VALIDATORS || added.operator == address(0)) revert WrongSettings();
        if (added.stake < settings_.minStake) revert TooLittle(settings_.minStake);
        if (added.isGranted) granted |= 1 << stakers.length;
        else if (added.operator.balance < added.stake) revert TooMuch(added.operator.balance);
        checkPossession(added.registration.consensusKey, added.registration.proofOfPossession);
        uint256 staker = enroll(added.operator, added.registration);
        Staker storage own = stakers[staker - 1];
        bond(staker, own, added.operator, added.stake);
        becomeCandidate(staker, own, 0);
    }

    /// Whether the evidence holds, and is neither too old nor of a time that has not come.
    function judge(bytes calldata evidence, bytes calldata consensusKey) private view returns (uint256 epoch, uint8 kind) {
        (bool answered, bytes memory verdict) =
            EVIDENCE_PRECOMPILE.staticcall(bytes.concat(consensusKey, settings_.genesisHash, evidence));
        if (!answered || verdict.length != 96) revert WrongEvidence();
        (epoch, kind,) = abi.decode(verdict, (uint64, uint8, uint64));
        uint256 now_ = clock_.epoch;
        if (epoch > now_ || epoch + settings_.evidenceEpochs < now_) revert EvidenceOfOtherTimes(epoch);
    }

    function slash(uint256 staker, Staker storage accused, uint256 epoch, uint8 kind, address reporter) private {
        uint256 percent = settings_.slashPercent;
        uint256 bonded = uint256(accused.bonded) * percent / MAX_PERCENT;
        uint256 unbonding = uint256(accused.unbonding) * percent / MAX_PERCENT;
        uint256 ownLoss = uint256(accused.ownBonded) * percent / MAX_PERCENT;
        uint256 reward = reporter == address(0) ? 0 : ownLoss * REPORTER_PERCENT / MAX_PERCENT;
        accused.slashes++;
        accused.status |= TOMBSTONED;
        accused.bonded -= uint96(bonded);
        accused.unbonding -= uint96(unbonding);
        accused.ownBonded -= uint96(ownLoss);
        Totals storage sums = totals_;
        sums.bonded -= uint128(bonded);
        sums.unbonding -= uint128(unbonding);
        sums.burned += uint128(bonded + unbonding - reward);
        sums.unclaimed += uint128(reward);
        if (reward != 0) reporterDue[reporter] += reward;
        emit Slashed(staker, epoch, reporter, bonded, unbonding, kind);
    }
}
