// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Delegation, Staker, Totals, Unbonding} from "./StakingLayout.sol";
import {Registration, StakingKeys} from "./StakingKeys.sol";

/// Stake in and out. Each account takes out its own; nobody is sent anything by what another does.
abstract contract StakingFunds is StakingKeys {
    /// Becomes a validator that may be drawn, with the value as its own stake.
    /// @param displaced a candidate whose place it takes if there is no free one; else it does not matter.
    function register(Registration calldata added, uint256 displaced) external payable whenActive returns (uint256 staker) {
        if (msg.value < settings_.minStake) revert TooLittle(settings_.minStake);
        checkConsent(added.consensusKey, added.proofOfPossession, added.consent);
        staker = enroll(msg.sender, added);
        Staker storage own = stakers[staker - 1];
        bond(staker, own, msg.sender, msg.value);
        becomeCandidate(staker, own, displaced);
    }

    /// More of the sender's own, also in jail.
    function addStake() external payable whenActive {
        (uint256 staker, Staker storage own) = ownStaker();
        mustStand(own);
        if (msg.value < settings_.minDelegation) revert TooLittle(settings_.minDelegation);
        bond(staker, own, msg.sender, msg.value);
    }

    /// Puts the value behind a validator: it shares what that one earns, and what it loses.
    function delegate(uint256 staker) external payable whenActive {
        Staker storage chosen = stakerAt(staker);
        mustStand(chosen);
        if (chosen.status & JAILED != 0) revert IsJailed();
        if (msg.value < settings_.minDelegation) revert TooLittle(settings_.minDelegation);
        bond(staker, chosen, msg.sender, msg.value);
    }

    /// Begins to take an amount away. All of it, or so much that what remains is no less than the minimum.
    function undelegate(uint256 staker, uint256 amount) external whenActive {
        Staker storage chosen = stakerAt(staker);
        uint256 held = settle(chosen, delegations[staker][msg.sender]);
        if (amount == 0 || amount > held) revert TooMuch(held);
        if (msg.sender == chosen.operator && chosen.status & EXITED == 0) {
            if (held - amount < settings_.minStake) revert UseExit();
        } else if (amount != held && held - amount < settings_.minDelegation) {
            revert TooLittle(settings_.minDelegation);
        }
        unbond(staker, chosen, amount);
    }

    /// The sender's validator is one no longer, and its own stake begins to unbond. Its keys stay taken; the account may register anew.
    function exit() external whenActive {
        (uint256 staker, Staker storage own) = ownStaker();
        uint256 held = settle(own, delegations[staker][msg.sender]);
        own.status |= EXITED;
        delete stakerOf[msg.sender];
        emit Exited(staker);
        if (held != 0) unbond(staker, own, held);
    }

    /// Pays out what the sender has waited for. What was slashed to nothing leaves the queue too, so that it cannot fill it for good.
    function withdraw() external {
        Unbonding[] storage queue = unbondings[msg.sender];
        uint256 sum = 0;
        uint256 waiting = queue.length;
        for (uint256 i = waiting; i > 0; i--) {
            Unbonding memory entry = queue[i - 1];
            if (clock_.epoch < payableFrom(entry.countedIn)) continue;
            Staker storage chosen = stakers[entry.staker - 1];
            uint256 amount = afterSlashes(entry.amount, chosen.slashes - entry.slashes);
            chosen.unbonding -= uint96(amount);
            sum += amount;
            if (i != queue.length) queue[i - 1] = queue[queue.length - 1];
            queue.pop();
        }
        if (queue.length == waiting) revert NothingToTake();
        totals_.unbonding -= uint128(sum);
        emit Withdrawn(msg.sender, sum);
        pay(sum);
    }

    /// Pays out the sender's rewards from a validator; the operator's commission with them.
    function claim(uint256 staker) external {
        Staker storage chosen = stakerAt(staker);
        Delegation storage own = delegations[staker][msg.sender];
        settle(chosen, own);
        uint256 sum = own.due;
        own.due = 0;
        if (msg.sender == chosen.operator) {
            sum += chosen.commissionDue;
            chosen.commissionDue = 0;
        }
        if (sum == 0) revert NothingToTake();
        totals_.unclaimed -= uint128(sum);
        emit Claimed(staker, msg.sender, sum);
        pay(sum);
    }

    /// Pays out what the sender has earned by reports.
    function claimReports() external {
        uint256 sum = reporterDue[msg.sender];
        if (sum == 0) revert NothingToTake();
        reporterDue[msg.sender] = 0;
        totals_.unclaimed -= uint128(sum);
        emit ReporterPaid(msg.sender, sum);
        pay(sum);
    }

    function bond(uint256 staker, Staker storage chosen, address owner, uint256 amount) internal {
        Delegation storage own = delegations[staker][owner];
        settle(chosen, own);
        uint256 bonded = chosen.bonded + amount;
        if (bonded > type(uint96).max) revert TooMuch(type(uint96).max - chosen.bonded);
        own.amount += uint96(amount);
        chosen.bonded = uint96(bonded);
        if (owner == chosen.operator) chosen.ownBonded += uint96(amount);
        totals_.bonded += uint128(amount);
        emit Delegated(staker, owner, amount);
    }

    /// Epoch from which stake is paid out that left when the set of `countedIn` was the last one decided: so long after the last set that
    /// may count it. Infinite while such a set goes on.
    function payableFrom(uint256 countedIn) internal view returns (uint256) {
        uint256 next = freshAfter[countedIn];
        return next == 0 ? type(uint256).max : next - 1 + settings_.unbondingEpochs;
    }

    /// Brings a delegation up to date: rewards first, because what was slashed had earned them.
    /// @return what it holds.
    function settle(Staker storage chosen, Delegation storage own) internal returns (uint256) {
        (uint256 amount, uint256 due) = settled(chosen, own);
        own.due = uint128(due);
        own.amount = uint96(amount);
        own.slashes = chosen.slashes;
        own.rewardPerWei = chosen.rewardPerWei;
        return amount;
    }

    function settled(Staker storage chosen, Delegation storage own) internal view returns (uint256 amount, uint256 due) {
        amount = own.amount;
        due = own.due + ((amount * (chosen.rewardPerWei - own.rewardPerWei)) >> REWARD_SCALE_BITS);
        amount = afterSlashes(amount, chosen.slashes - own.slashes);
    }

    /// Of the sender's delegation, which is settled.
    function unbond(uint256 staker, Staker storage chosen, uint256 amount) private {
        Unbonding[] storage queue = unbondings[msg.sender];
        if (queue.length >= MAX_UNBONDINGS) revert NoRoom();
        delegations[staker][msg.sender].amount -= uint96(amount);
        chosen.bonded -= uint96(amount);
        chosen.unbonding += uint96(amount);
        if (msg.sender == chosen.operator) chosen.ownBonded -= uint96(amount);
        Totals storage totals = totals_;
        totals.bonded -= uint128(amount);
        totals.unbonding += uint128(amount);
        queue.push(Unbonding(uint32(staker), uint96(amount), chosen.slashes, clock_.fresh));
        emit Undelegated(staker, msg.sender, amount);
    }

    /// Last, when all is written.
    function pay(uint256 amount) private {
        (bool received,) = msg.sender.call{value: amount}("");
        if (!received) revert TransferFailed();
    }
}
