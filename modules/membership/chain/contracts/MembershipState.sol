// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Validator} from "../../../../languages/solidity/validator-sets/ValidatorSetLayout.sol";

/// How much an organisation may do by itself. The members decide on it.
struct Limits {
    uint16 validators;
    uint16 observers;
    uint32 accounts;
    /// In consensus, whole: the weights of its validators are shares of it (../validators.ts), and together no more than it.
    uint64 weight;
}

struct Organisation {
    address admin; // slot 0
    uint8 standing; // slot 0: NONE, ACTIVE, SUSPENDED, REMOVED
    uint16 validators; // slot 0
    uint16 observers; // slot 0
    Limits limits; // slot 1
    uint64 weight; // slot 2: the shares of its validators together
    address pendingAdmin; // slot 2
    string name; // slot 3
    /// What its observers may see; empty: all.
    address[] filter; // slot 4
    /// DER of its certificate authority; two while one replaces the other.
    bytes[] certificates; // slot 5
    uint32[] nodes; // slot 6
    address[] accounts; // slot 7
}

struct Node {
    Validator keys; // slots 0 to 5; an observer has neither consensus key nor weight
    uint32 organisation; // slot 6
    uint8 role; // slot 6: VALIDATOR or OBSERVER
    uint16 position; // slot 6: in its organisation's list
    /// What it wants to see of what its organisation may; empty: all of that.
    address[] filter; // slot 7
}

/// Whose key it is: `node` is 0 when nobody uses it now, and then only the same organisation may take it again.
struct Holder {
    uint32 node;
    uint32 organisation;
}

struct Call {
    address target;
    uint256 value;
    bytes data;
}

struct Proposal {
    uint32 organisation; // slot 0
    uint64 openedAt; // slot 0
    uint64 expiresAt; // slot 0: the last block in which it can be executed
    uint16 needed; // slot 0: votes, by those who were members when it opened
    uint8 state; // slot 0: OPEN, EXECUTED, WITHDRAWN
    string title; // slot 1
    Call[] calls; // slot 2
    /// One bit for each organisation that is for it.
    mapping(uint256 word => uint256) supporters; // slot 3
}

/// What is kept, who may change it, and the limits of everything. Nodes read these slots natively (../layout.ts; a test compares).
abstract contract MembershipState {
    uint32 public version; // slot 0
    uint8 public thresholdPercent; // slot 0
    bool public openToAll; // slot 0
    uint64 public proposalBlocks; // slot 0
    uint32 public lastOrganisation; // slot 0
    uint32 public lastNode; // slot 0
    uint16 public activeOrganisations; // slot 0
    /// Of all organisations.
    uint16 public validatorNodes; // slot 0
    /// Of those that are not suspended.
    uint16 public liveValidators; // slot 0
    /// Decides alone while it is not zero.
    address public owner; // slot 1
    uint32 public lastProposal; // slot 1
    mapping(uint32 id => Organisation) internal organisations; // slot 2
    mapping(uint32 id => Node) internal nodes; // slot 3
    mapping(bytes32 keyHash => Holder) public holderOf; // slot 4
    mapping(address admin => uint32 organisation) public organisationOfAdmin; // slot 5
    /// One bit for each organisation that is a member and not suspended.
    mapping(uint256 word => uint256) internal active; // slot 6
    /// At (role << 2 | word): one bit for each organisation that gives this account this role. So nobody needs another's consent, and
    /// nobody can take an account from another by being first.
    mapping(address account => mapping(uint256 key => uint256)) internal grants; // slot 7
    /// Roles in the low 8 bits, then the place in the organisation's list plus one.
    mapping(uint32 organisation => mapping(address account => uint256)) internal places; // slot 8
    mapping(uint32 id => Proposal) internal proposals; // slot 9
    mapping(uint32 organisation => uint32[]) internal openProposals; // slot 10

    /// While a decision is carried out, only this contract itself may act.
    bool internal transient executing;

    uint32 internal constant VERSION = 1;
    address internal constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;

    uint8 internal constant NONE = 0;
    uint8 internal constant ACTIVE = 1;
    uint8 internal constant SUSPENDED = 2;
    uint8 internal constant REMOVED = 3;

    uint8 internal constant VALIDATOR = 1;
    uint8 internal constant OBSERVER = 2;

    uint8 internal constant OPEN = 1;
    uint8 internal constant EXECUTED = 2;
    uint8 internal constant WITHDRAWN = 3;

    /// SENDER, DEPLOYER, OPERATOR, AUDITOR: bits 0 to 3.
    uint256 internal constant ROLE_COUNT = 4;
    uint256 internal constant ROLES_MASK = 0xff;

    /// Ever admitted: numbers are not used again, so that old grants and votes never come back to life.
    uint256 internal constant MAX_ORGANISATIONS = 1023;
    uint256 internal constant MAX_VALIDATORS = 1024;
    uint256 internal constant MAX_VALIDATORS_OF_ORGANISATION = 16;
    uint256 internal constant MAX_OBSERVERS_OF_ORGANISATION = 32;
    uint256 internal constant MAX_ACCOUNTS_OF_ORGANISATION = 100_000;
    /// Of all organisations together it stays below 2^53.
    uint256 internal constant MAX_WEIGHT_OF_ORGANISATION = 2 ** 40;
    uint256 internal constant MAX_FILTER = 32;
    uint256 internal constant MAX_CERTIFICATES = 2;
    uint256 internal constant MAX_CERTIFICATE_BYTES = 2048;
    uint256 internal constant MAX_NAME_BYTES = 64;
    uint256 internal constant MAX_HOST_BYTES = 253;
    uint256 internal constant MAX_TITLE_BYTES = 200;
    uint256 internal constant MAX_CALLS = 32;
    /// Of all calls of a proposal together.
    uint256 internal constant MAX_PROPOSAL_BYTES = 16_384;
    uint256 internal constant MAX_OPEN_PROPOSALS_OF_ORGANISATION = 8;
    /// More than half: two decisions that exclude each other cannot both have it.
    uint256 internal constant MIN_THRESHOLD_PERCENT = 51;
    uint256 internal constant MIN_PROPOSAL_BLOCKS = 10;
    uint256 internal constant MAX_PROPOSAL_BLOCKS = 1_000_000_000;

    /// Letters, digits, dot, underscore and hyphen, one bit each; a host may have colons besides, an organisation's name spaces.
    uint256 internal constant NAME_CHARACTERS = 0x07fffffe87fffffe03ff600000000000;
    uint256 internal constant HOST_CHARACTERS = 0x07fffffe87fffffe07ff600000000000;
    uint256 internal constant ORGANISATION_NAME_CHARACTERS = 0x07fffffe87fffffe03ff600100000000;

    error AlreadyActivated(uint32 version);
    error NotTheSystem();
    error NotTheMembers(address caller);
    error NotAnAdmin(address caller);
    error NotItsAdmin(address caller, uint32 organisation);
    error OrganisationIsSuspended(uint32 organisation);
    error UnknownOrganisation(uint32 organisation);
    error UnknownNode(uint32 node);
    error UnknownProposal(uint32 proposal);
    error NotWhileExecuting();
    error OwnerDecides();
    /// Beyond a limit of the contract, or of the organisation.
    error TooMany();
    error TooMuchWeight();
    error ZeroAddress();
    error ZeroWeight();
    error AlreadyAnAdmin(address account);
    /// A chain without validators would stand still for good.
    error LastValidator();
    error WrongRole();
    error WrongKeyLength();
    error WrongName();
    error WrongHost();
    error WrongPort();
    error WrongRules();
    error WrongCertificate();
    error WrongStanding();
    /// Another node has this consensus or transport key, or another organisation had it.
    error KeyTaken(bytes key);

    /// Whether any organisation that is not suspended gives this account one of these roles (bits 0 to 3: sender, deployer, operator,
    /// auditor).
    function hasRole(address account, uint8 roles) external view returns (bool) {
        uint256 words = lastOrganisation >> 8;
        for (uint256 role = 0; role < ROLE_COUNT; role++) {
            if ((roles >> role) & 1 == 0) continue;
            for (uint256 word = 0; word <= words; word++) {
                if (grants[account][(role << 2) | word] & active[word] != 0) return true;
            }
        }
        return false;
    }

    function isActive(uint32 organisation) public view returns (bool) {
        return (active[organisation >> 8] >> (organisation & 255)) & 1 == 1;
    }

    /// What the members, or the owner, decide: it is this contract that carries it out.
    modifier onlyMembers() {
        if (msg.sender != address(this)) revert NotTheMembers(msg.sender);
        _;
    }

    /// What an organisation's admin does for it. The members may do it too.
    modifier onlyFor(uint32 organisation) {
        checkActor(organisation);
        _;
    }

    function checkActor(uint32 organisation) internal view {
        if (msg.sender == address(this)) {
            known(organisation);
        } else if (callersOrganisation() != organisation) {
            revert NotItsAdmin(msg.sender, organisation);
        }
    }

    /// Of the caller, who must be the admin of an organisation that is not suspended.
    function callersOrganisation() internal view returns (uint32 organisation) {
        if (executing) revert NotWhileExecuting();
        organisation = organisationOfAdmin[msg.sender];
        if (organisation == 0) revert NotAnAdmin(msg.sender);
        if (!isActive(organisation)) revert OrganisationIsSuspended(organisation);
    }

    function known(uint32 organisation) internal view returns (Organisation storage found) {
        found = organisations[organisation];
        if (found.standing != ACTIVE && found.standing != SUSPENDED) revert UnknownOrganisation(organisation);
    }

    function checkText(bytes calldata text, uint256 characters) internal pure returns (bool) {
        for (uint256 i = 0; i < text.length; i++) {
            if ((characters >> uint8(text[i])) & 1 == 0) return false;
        }
        return text.length != 0;
    }
}
