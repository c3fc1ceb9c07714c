import { ErrorCode, errorName } from '../protocol/errors'
import { ApiKey, apis } from '../protocol/messages/apis'
import { NetworkError } from './network-error'
import type { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/api-versions'
import type { Api } from '../protocol/messages/apis'
import type { Input } from '../protocol/messages/codec'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

const softwareName = 'prekraft'
const softwareVersion = '0.1.0'

/** What a client says of itself; brokers since 2.4 count clients by it (KIP-511). */
export function apiVersionsRequest(version: number): Input<ApiVersionsRequest> {
  return version >= 3 ? { clientSoftwareName: softwareName, clientSoftwareVersion: softwareVersion } : {}
}

/**
 * Learns what a node speaks: asks in the newest version, and once more in the one that an older node names (KIP-511).
 * Throws UNSUPPORTED_VERSION if the node answers with an error.
 */
export async function negotiateVersions(
  ask: (version: number) => Promise<ApiVersionsResponse>,
  address: string,
): Promise<ReadonlyMap<number, VersionRange>> {
  let response = await ask(apis.apiVersions.maxVersion)
  if (response.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
    // Brokers before 2.4 name nothing, and speak version 0.
    const named = response.apiKeys.find((each) => each.apiKey === ApiKey.apiVersions)
    response = await ask(Math.min(named?.maxVersion ?? 0, apis.apiVersions.maxVersion))
  }
  if (response.errorCode !== ErrorCode.NONE) {
    throw new NetworkError('UNSUPPORTED_VERSION', `${address} answered ApiVersions with ${errorName(response.errorCode)}`)
  }
  return new Map(response.apiKeys.map((each) => [each.apiKey, { min: each.minVersion, max: each.maxVersion }]))
}

/** The version that an answer is in: that of the request, but 0 for a refusal of ApiVersions, which any client must understand. */
export function answerVersion(api: Api, version: number, frame: Buffer): number {
  if (api.key !== ApiKey.apiVersions || frame.length < 6) return version
  return frame.readInt16BE(4) === ErrorCode.UNSUPPORTED_VERSION ? 0 : version
}
