import { decodeJson, encodeJson } from './znode-json'
import { desanitizeEntity, sanitizeEntity } from './configs'

export const delegationTokensPath = '/delegation_token/tokens'

export function delegationTokenPath(tokenId: string): string {
  return `${delegationTokensPath}/${tokenId}`
}

/** A token without its HMAC, which follows from delegation.token.secret.key. Principals are `User:alice`. */
export interface DelegationToken {
  tokenId: string
  owner: string
  tokenRequester: string
  renewers: string[]
  issueTimestampMs: number
  maxTimestampMs: number
  expiryTimestampMs: number
}

/** Version 3 (3.3): principals are sanitized, the requester is named. */
export function encodeDelegationToken(token: DelegationToken): Buffer {
  return encodeJson({
    version: 3,
    owner: sanitizeEntity(token.owner),
    tokenRequester: sanitizeEntity(token.tokenRequester),
    renewers: token.renewers.map(sanitizeEntity),
    issueTimestamp: token.issueTimestampMs,
    maxTimestamp: token.maxTimestampMs,
    expiryTimestamp: token.expiryTimestampMs,
    tokenId: token.tokenId,
  })
}

/** Reads versions 1 to 3. Throws ZnodeFormatError. */
export function decodeDelegationToken(path: string, data: Buffer | null): DelegationToken {
  const json = decodeJson(path, data)
  const owner = desanitizeEntity(json.string('owner'))
  return {
    tokenId: json.string('tokenId'),
    owner,
    tokenRequester: json.has('tokenRequester') ? desanitizeEntity(json.string('tokenRequester')) : owner,
    renewers: json.has('renewers') ? json.strings('renewers').map(desanitizeEntity) : [],
    issueTimestampMs: json.long('issueTimestamp'),
    maxTimestampMs: json.long('maxTimestamp'),
    expiryTimestampMs: json.long('expiryTimestamp'),
  }
}
