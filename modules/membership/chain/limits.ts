/** Limits of the contract (contracts/MembershipState.sol), for those who fill in forms; the contract enforces them. */
export const MAX_ORGANISATIONS = 1_023;
export const MAX_VALIDATORS_OF_ORGANISATION = 16;
export const MAX_OBSERVERS_OF_ORGANISATION = 32;
export const MAX_ACCOUNTS_OF_ORGANISATION = 100_000;
export const MAX_WEIGHT_OF_ORGANISATION: number = 2 ** 40;
export const MAX_FILTER_ADDRESSES = 32;
export const MAX_CERTIFICATES = 2;
export const MAX_CERTIFICATE_BYTES = 2_048;
export const MAX_ORGANISATION_NAME_BYTES = 64;
export const MAX_TITLE_BYTES = 200;
export const MAX_PROPOSAL_CALLS = 32;
export const MAX_PROPOSAL_BYTES = 16_384;
export const MAX_OPEN_PROPOSALS_OF_ORGANISATION = 8;
export const MIN_THRESHOLD_PERCENT = 51;
export const MIN_PROPOSAL_BLOCKS = 10;
export const MAX_PROPOSAL_BLOCKS = 1_000_000_000;
