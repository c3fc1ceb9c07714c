/**
 * What a broker answers that has no authorizer, no SASL and no delegation tokens: on a PLAINTEXT listener the same as Kafka's, so
 * that tools say plainly what is off (KafkaApis, AclApis).
 */
import { ErrorCode } from '../../protocol/errors'
import type { CreateAclsRequest, CreateAclsResponse } from '../../protocol/messages/create-acls'
import type { CreateDelegationTokenRequest, CreateDelegationTokenResponse } from '../../protocol/messages/create-delegation-token'
import type { DeleteAclsRequest, DeleteAclsResponse } from '../../protocol/messages/delete-acls'
import type { DescribeAclsRequest, DescribeAclsResponse } from '../../protocol/messages/describe-acls'
import type { DescribeDelegationTokenRequest, DescribeDelegationTokenResponse } from '../../protocol/messages/describe-delegation-token'
import type { ExpireDelegationTokenRequest, ExpireDelegationTokenResponse } from '../../protocol/messages/expire-delegation-token'
import type { RenewDelegationTokenRequest, RenewDelegationTokenResponse } from '../../protocol/messages/renew-delegation-token'
import type { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../../protocol/messages/sasl-authenticate'
import type { SaslHandshakeRequest, SaslHandshakeResponse } from '../../protocol/messages/sasl-handshake'
import type { Handler } from '../server/request-context'

const NO_AUTHORIZER = { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: 'No Authorizer is configured.' }
const NO_TIME = -1
const ANONYMOUS = { type: 'User', name: 'ANONYMOUS' }

/** DescribeAcls 0-3. */
export const describeAclsHandler: Handler<DescribeAclsRequest, DescribeAclsResponse> = (context) =>
  context.respond({ errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: 'No Authorizer is configured on the broker' })

/** CreateAcls 0-3. */
export const createAclsHandler: Handler<CreateAclsRequest, CreateAclsResponse> = (context) =>
  context.respond({ results: context.body.creations.map(() => NO_AUTHORIZER) })

/** DeleteAcls 0-3. */
export const deleteAclsHandler: Handler<DeleteAclsRequest, DeleteAclsResponse> = (context) =>
  context.respond({ filterResults: context.body.filters.map(() => NO_AUTHORIZER) })

/** SaslHandshake 0-1 on a listener without SASL. */
export const saslHandshakeHandler: Handler<SaslHandshakeRequest, SaslHandshakeResponse> = (context) =>
  context.respond({ errorCode: ErrorCode.ILLEGAL_SASL_STATE })

/** SaslAuthenticate 0-2 on a listener without SASL. */
export const saslAuthenticateHandler: Handler<SaslAuthenticateRequest, SaslAuthenticateResponse> = (context) =>
  context.respond({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, errorMessage: 'SaslAuthenticate request received after successful authentication' })

/** CreateDelegationToken 0-3: never on a connection that is not authenticated. */
export const createDelegationTokenHandler: Handler<CreateDelegationTokenRequest, CreateDelegationTokenResponse> = (context) => {
  const { ownerPrincipalName: name, ownerPrincipalType: type } = context.body
  const owner = name === null || name === '' ? ANONYMOUS : { type: type ?? ANONYMOUS.type, name }
  context.respond({
    errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
    principalType: owner.type,
    principalName: owner.name,
    ...(context.apiVersion >= 3 ? { tokenRequesterPrincipalType: ANONYMOUS.type, tokenRequesterPrincipalName: ANONYMOUS.name } : {}),
    issueTimestampMs: NO_TIME,
    expiryTimestampMs: NO_TIME,
    maxTimestampMs: NO_TIME,
  })
}

/** RenewDelegationToken 0-2. */
export const renewDelegationTokenHandler: Handler<RenewDelegationTokenRequest, RenewDelegationTokenResponse> = (context) =>
  context.respond({ errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, expiryTimestampMs: NO_TIME })

/** ExpireDelegationToken 0-2. */
export const expireDelegationTokenHandler: Handler<ExpireDelegationTokenRequest, ExpireDelegationTokenResponse> = (context) =>
  context.respond({ errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, expiryTimestampMs: NO_TIME })

/** DescribeDelegationToken 0-3. */
export const describeDelegationTokenHandler: Handler<DescribeDelegationTokenRequest, DescribeDelegationTokenResponse> = (context) =>
  context.respond({ errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED })
