// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Validator} from "../../../../languages/solidity/validator-sets/ValidatorSetLayout.sol";
import {Call, Limits, Proposal} from "./MembershipState.sol";
import {Nodes} from "./Nodes.sol";

struct NodeSettings {
    uint8 role;
    Validator keys;
    address[] filter;
}

struct AccountSettings {
    address account;
    uint8 roles;
}

struct OrganisationSettings {
    string name;
    address admin;
    Limits limits;
    address[] filter;
    bytes[] certificates;
    NodeSettings[] nodes;
    AccountSettings[] accounts;
}

struct Settings {
    address owner;
    uint8 thresholdPercent;
    uint64 proposalBlocks;
    bool openToAll;
    OrganisationSettings[] organisations;
}

/// How the members decide: an organisation proposes calls, each organisation has one vote, and with enough of them the calls are
/// made in the name of this contract, all or none. Where there is an owner, it decides alone until it gives that up.
///
/// Votes are counted when a proposal is executed: of the organisations that are members and not suspended at that moment, and there must
/// be as many as the threshold asks of the members of that moment, and no fewer than it asked when the proposal opened. So no change of
/// the membership makes an open proposal easier to pass.
///
/// The code is placed at its address when the module becomes active (core/execution); there is no constructor.
contract Membership is Nodes {
    event RulesChanged(uint8 thresholdPercent, uint64 proposalBlocks);
    event OwnerChanged(address indexed previous, address indexed owner);
    event OpenToAllChanged(bool openToAll);
    event Proposed(
        uint32 indexed proposal, uint32 indexed organisation, string title, uint64 expiresAt, uint16 needed, address by
    );
    event Voted(uint32 indexed proposal, uint32 indexed organisation, bool support, address by);
    event Withdrawn(uint32 indexed proposal, uint32 indexed organisation, address by);
    event Executed(uint32 indexed proposal, uint32 indexed organisation, address by);
    event OwnerDecided(address indexed owner, string title);
    event CallMade(address indexed target, uint256 value, bytes data);

    error ProposalIsClosed(uint32 proposal);
    error NotEnoughVotes(uint256 votes, uint256 needed);
    error NotItsProposer(uint32 proposal);
    error NoCalls();
    /// The target has no code: the call would do nothing and look done.
    error NoContract(address target);
    error CallFailed(uint256 index, bytes reason);

    receive() external payable {}

    /// Once, by the nodes, in the block in which the module becomes active. A later version of this contract may be called again.
    function activate(bytes calldata encoded) external {
        if (msg.sender != SYSTEM) revert NotTheSystem();
        if (version >= VERSION) revert AlreadyActivated(version);
        version = VERSION;
        Settings memory settings = abi.decode(encoded, (Settings));
        for (uint256 i = 0; i < settings.organisations.length; i++) {
            found(settings.organisations[i]);
        }
        if (liveValidators == 0) revert LastValidator();
        this.setRules(settings.thresholdPercent, settings.proposalBlocks);
        this.setOwner(settings.owner);
        this.setOpenToAll(settings.openToAll);
    }

    /// Opens a vote on these calls, with the caller's organisation for it. What the owner proposes is decided and carried out at once.
    /// @param title for those who vote.
    /// @return id of the proposal; 0 where the owner decides.
    function propose(string calldata title, Call[] calldata calls) external returns (uint32 id) {
        checkCalls(title, calls);
        if (owner != address(0)) {
            if (msg.sender != owner) revert OwnerDecides();
            if (executing) revert NotWhileExecuting();
            emit OwnerDecided(msg.sender, title);
            run(calls);
            return 0;
        }
        uint32 organisation = callersOrganisation();
        id = ++lastProposal;
        rememberOpen(organisation, id);
        Proposal storage opened = proposals[id];
        opened.organisation = organisation;
        opened.openedAt = uint64(block.number);
        opened.expiresAt = uint64(block.number) + proposalBlocks;
        opened.needed = votesNeeded();
        opened.state = OPEN;
        opened.title = title;
        for (uint256 i = 0; i < calls.length; i++) {
            opened.calls.push(calls[i]);
        }
        emit Proposed(id, organisation, title, opened.expiresAt, opened.needed, msg.sender);
        support(id, opened, organisation, true);
    }

    /// An organisation may change its mind until the proposal is executed.
    function vote(uint32 id, bool isFor) external {
        uint32 organisation = callersOrganisation();
        support(id, openProposal(id), organisation, isFor);
    }

    /// By the organisation that proposed it.
    function withdraw(uint32 id) external {
        uint32 organisation = callersOrganisation();
        Proposal storage proposal = openProposal(id);
        if (proposal.organisation != organisation) revert NotItsProposer(id);
        proposal.state = WITHDRAWN;
        emit Withdrawn(id, organisation, msg.sender);
    }

    /// Makes the calls of a proposal that has the votes. If one fails, all is as before, and it may be tried again until it expires.
    function execute(uint32 id) external {
        uint32 organisation = callersOrganisation();
        if (owner != address(0)) revert OwnerDecides();
        Proposal storage proposal = openProposal(id);
        (uint256 votes, uint256 needed) = countVotes(id);
        if (votes < needed) revert NotEnoughVotes(votes, needed);
        proposal.state = EXECUTED;
        emit Executed(id, organisation, msg.sender);
        run(proposal.calls);
    }

    /// Of organisations that are members and not suspended now, and how many there must be now.
    function countVotes(uint32 id) public view returns (uint256 votes, uint256 needed) {
        Proposal storage proposal = proposals[id];
        uint256 words = lastOrganisation >> 8;
        for (uint256 word = 0; word <= words; word++) {
            for (uint256 bits = proposal.supporters[word] & active[word]; bits != 0; bits &= bits - 1) {
                votes++;
            }
        }
        needed = votesNeeded();
        if (needed < proposal.needed) needed = proposal.needed;
    }

    function proposalCalls(uint32 id) external view returns (string memory title, Call[] memory calls) {
        return (proposals[id].title, proposals[id].calls);
    }

    function setRules(uint8 threshold, uint64 lifetimeBlocks) external onlyMembers {
        if (threshold < MIN_THRESHOLD_PERCENT || threshold > 100) revert WrongRules();
        if (lifetimeBlocks < MIN_PROPOSAL_BLOCKS || lifetimeBlocks > MAX_PROPOSAL_BLOCKS) revert WrongRules();
        thresholdPercent = threshold;
        proposalBlocks = lifetimeBlocks;
        emit RulesChanged(threshold, lifetimeBlocks);
    }

    /// @param newOwner zero: the members decide from now on.
    function setOwner(address newOwner) external onlyMembers {
        if (newOwner == address(this)) revert WrongRules();
        emit OwnerChanged(owner, newOwner);
        owner = newOwner;
    }

    /// Whether everybody may send transactions and create contracts: the alliance becomes a public chain.
    function setOpenToAll(bool isOpen) external onlyMembers {
        openToAll = isOpen;
        emit OpenToAllChanged(isOpen);
    }

    function found(OrganisationSettings memory settings) private {
        uint32 id = this.admit(settings.name, settings.admin, settings.limits, settings.filter);
        for (uint256 i = 0; i < settings.certificates.length; i++) {
            this.addCertificate(id, settings.certificates[i]);
        }
        for (uint256 i = 0; i < settings.nodes.length; i++) {
            this.addNode(id, settings.nodes[i].role, settings.nodes[i].keys, settings.nodes[i].filter);
        }
        for (uint256 i = 0; i < settings.accounts.length; i++) {
            this.setAccount(id, settings.accounts[i].account, settings.accounts[i].roles);
        }
    }

    function checkCalls(string calldata title, Call[] calldata calls) private pure {
        if (bytes(title).length > MAX_TITLE_BYTES) revert WrongName();
        if (calls.length == 0) revert NoCalls();
        if (calls.length > MAX_CALLS) revert TooMany();
        uint256 size = 0;
        for (uint256 i = 0; i < calls.length; i++) {
            size += calls[i].data.length;
        }
        if (size > MAX_PROPOSAL_BYTES) revert TooMany();
    }

    function run(Call[] memory calls) private {
        executing = true;
        for (uint256 i = 0; i < calls.length; i++) {
            Call memory call = calls[i];
            if (call.data.length != 0 && call.target.code.length == 0) revert NoContract(call.target);
            (bool isDone, bytes memory output) = call.target.call{value: call.value}(call.data);
            if (!isDone) revert CallFailed(i, output);
            emit CallMade(call.target, call.value, call.data);
        }
        executing = false;
    }

    function openProposal(uint32 id) private view returns (Proposal storage proposal) {
        proposal = proposals[id];
        if (proposal.state == NONE) revert UnknownProposal(id);
        if (proposal.state != OPEN || block.number > proposal.expiresAt) revert ProposalIsClosed(id);
    }

    function support(uint32 id, Proposal storage proposal, uint32 organisation, bool isFor) private {
        uint256 bit = 1 << (organisation & 255);
        uint256 supporters = proposal.supporters[organisation >> 8];
        proposal.supporters[organisation >> 8] = isFor ? supporters | bit : supporters & ~bit;
        emit Voted(id, organisation, isFor, msg.sender);
    }

    function votesNeeded() private view returns (uint16) {
        return uint16((uint256(activeOrganisations) * thresholdPercent + 99) / 100);
    }

    /// Puts a proposal into the organisation's list, in the place of one that is closed if there is one.
    function rememberOpen(uint32 organisation, uint32 id) private {
        uint32[] storage list = openProposals[organisation];
        for (uint256 i = 0; i < list.length; i++) {
            Proposal storage other = proposals[list[i]];
            if (other.state != OPEN || block.number > other.expiresAt) {
                list[i] = id;
                return;
            }
        }
        if (list.length == MAX_OPEN_PROPOSALS_OF_ORGANISATION) revert TooMany();
        list.push(id);
    }
}
