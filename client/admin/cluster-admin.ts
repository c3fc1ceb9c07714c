import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { realEnvironment } from '../../runtime/real'
import { Cluster } from '../cluster'
import { clientSettings } from '../config'
import { ResourceType } from './types'
import type { AdminConfig } from '../config'
import type { ClusterDescription, Features } from './types'
import type { ApiVersionsResponse } from '../../protocol/messages/api-versions'
import type { Environment } from '../../runtime/ports'
import type { Node } from '../cluster'

/** The controller ends its wait by itself and says so: an answer that was given up here would have the request sent again. */
const GRACE_MS = 1000

/** What every administrator needs: the cluster, and the way to the broker that a request is for. */
export class ClusterAdmin {
  protected readonly cluster: Cluster

  constructor(config: AdminConfig, env: Environment = realEnvironment()) {
    this.cluster = new Cluster(env, clientSettings(config, 'adminclient'))
  }

  async describeCluster(): Promise<ClusterDescription> {
    await this.cluster.retrying('describing the cluster', () => this.cluster.metadata([]))
    return { clusterId: this.cluster.clusterId, controllerId: this.cluster.controllerId, nodes: this.cluster.allNodes() }
  }

  /** What a broker speaks. */
  async apiVersions(node: Node): Promise<ApiVersionsResponse> {
    const connection = await this.cluster.connection(node.host, node.port)
    return connection.send<object, ApiVersionsResponse>(ApiKey.apiVersions, {
      clientSoftwareName: 'prekraft',
      clientSoftwareVersion: '0.1.0',
    })
  }

  /** What the brokers support and the cluster has finalized; both empty in ZooKeeper mode. */
  async describeFeatures(): Promise<Features> {
    const response = await this.cluster.retrying('describing features', async () => {
      const answer = await this.cluster.sendToAny<ApiVersionsResponse>(ApiKey.apiVersions, {
        clientSoftwareName: 'prekraft',
        clientSoftwareVersion: '0.1.0',
      })
      if (answer.errorCode !== 0) throw new ProtocolError(answer.errorCode)
      return answer
    })
    return {
      supported: response.supportedFeatures,
      finalized: response.finalizedFeatures,
      epoch: response.finalizedFeaturesEpoch >= 0 ? response.finalizedFeaturesEpoch : undefined,
    }
  }

  async close(): Promise<void> {
    this.cluster.close()
    return Promise.resolve()
  }

  /** Sends to the controller; when it has moved (NOT_CONTROLLER anywhere in the answer) finds the new one and sends again. */
  protected toController<Response>(
    what: string,
    apiKey: number,
    body: object | ((version: number) => object),
    codesOf: (response: Response) => number[],
  ): Promise<Response> {
    return this.cluster.retrying(what, async () => {
      const { controllerId } = this.cluster
      if (controllerId < 0 || this.cluster.node(controllerId) === undefined) await this.cluster.metadata([])
      const controller = this.cluster.controllerId
      if (controller < 0) throw new ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE, 'there is no controller now')
      try {
        const version = typeof body === 'function' ? await this.cluster.versionOf(controller, apiKey) : 0
        const filled: { timeoutMs?: number } = typeof body === 'function' ? body(version) : body
        const { timeoutMs } = filled
        const options = timeoutMs === undefined ? {} : { timeoutMs: timeoutMs + GRACE_MS }
        const response = await this.cluster.send<Response>(controller, apiKey, filled, options)
        if (codesOf(response).includes(ErrorCode.NOT_CONTROLLER)) throw new ProtocolError(ErrorCode.NOT_CONTROLLER)
        return response
      } catch (error) {
        this.cluster.controllerId = -1
        throw error
      }
    })
  }

  protected toNode<Response>(what: string, nodeId: number, apiKey: number, body: object): Promise<Response> {
    return this.cluster.retrying(what, async () => {
      if (this.cluster.node(nodeId) === undefined) await this.cluster.metadata([])
      if (this.cluster.node(nodeId) === undefined)
        throw new ProtocolError(ErrorCode.INVALID_REQUEST, `broker ${nodeId} is not available`)
      return this.cluster.send<Response>(nodeId, apiKey, body)
    })
  }

  /** A broker's own configuration is known to that broker alone; a topic's to all. */
  protected toResourceOwner<Response>(
    what: string,
    apiKey: number,
    resource: { resourceType: number; resourceName: string },
    body: object,
  ): Promise<Response> {
    const toBroker =
      (resource.resourceType === ResourceType.broker || resource.resourceType === ResourceType.brokerLogger) &&
      resource.resourceName !== ''
    if (toBroker) return this.toNode(what, Number(resource.resourceName), apiKey, body)
    return this.cluster.retrying(what, () => this.cluster.sendToAny<Response>(apiKey, body))
  }
}
