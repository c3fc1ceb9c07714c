import { ErrorCode } from '../../protocol/errors'
import { apiByKey } from '../../protocol/messages/apis'
import type { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/api-versions'
import type { Handler } from '../server/request-context'

/**
 * ApiVersions 0-4. Lists exactly the requests that have a handler, with the version ranges of a ZooKeeper-mode 3.9 broker. A
 * version above 4 never comes here: the pipeline answers it in version 0 (KIP-511). Software name and version are checked from
 * version 3 on. A broker of ZooKeeper mode has no features; the epoch is the version of `/feature`.
 */
export function apiVersionsHandler(
  servedKeys: () => Iterable<number>,
  featureEpoch: () => number,
): Handler<ApiVersionsRequest, ApiVersionsResponse> {
  return (context) => {
    if (
      context.apiVersion >= 3 &&
      !(isSoftwareName(context.body.clientSoftwareName) && isSoftwareName(context.body.clientSoftwareVersion))
    ) {
      context.respond({ errorCode: ErrorCode.INVALID_REQUEST })
      return
    }
    const apiKeys = [...servedKeys()]
      .sort((a, b) => a - b)
      .map((apiKey) => {
        const { minVersion, maxVersion } = apiByKey(apiKey)!
        return { apiKey, minVersion, maxVersion }
      })
    context.respond({ errorCode: ErrorCode.NONE, apiKeys, finalizedFeaturesEpoch: featureEpoch() })
  }
}

function isSoftwareName(name: string): boolean {
  return /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/.test(name)
}
