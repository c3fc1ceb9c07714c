/**
 * Ids of groups, members and transactions may be as long as this. V8 does not look at longer strings to hash them, only at their
 * length: a map of such ids is a list that is searched from its beginning, and a few thousand of them would stop the broker.
 */
export const MAX_ID_LENGTH = 16_383
