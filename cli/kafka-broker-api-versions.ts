import { Admin } from '../client/admin'
import { ApiKey, apiByKey } from '../protocol/messages/apis'
import { UsageError } from './tool/command-line'
import { JSON_OPTION, printJson } from './tool/json'
import { propertiesOf, runTool } from './tool/run'
import type { ApiVersionsResponse } from '../protocol/messages/api-versions'

/** What Kafka 3.9's client knows beside what a ZooKeeper-mode broker has: shown as UNSUPPORTED where a broker lacks it. */
const KRAFT_ONLY: Record<number, string> = {
  55: 'DescribeQuorum',
  64: 'UnregisterBroker',
  71: 'GetTelemetrySubscriptions',
  72: 'PushTelemetry',
  74: 'ListClientMetricsResources',
  75: 'DescribeTopicPartitions',
  76: 'ShareGroupHeartbeat',
  77: 'ShareGroupDescribe',
  78: 'ShareFetch',
  79: 'ShareAcknowledge',
  80: 'AddRaftVoter',
  81: 'RemoveRaftVoter',
  83: 'InitializeShareGroupState',
  84: 'ReadShareGroupState',
  85: 'WriteShareGroupState',
  86: 'DeleteShareGroupState',
  87: 'ReadShareGroupStateSummary',
}

function nameOf(key: number): string {
  return apiByKey(key)?.name ?? KRAFT_ONLY[key] ?? 'UNKNOWN'
}

function toJson({ apiKeys }: ApiVersionsResponse): object[] {
  return [...apiKeys]
    .sort((a, b) => a.apiKey - b.apiKey)
    .map(({ apiKey, minVersion, maxVersion }) => {
      const api = apiByKey(apiKey)
      const usable = Math.min(api?.maxVersion ?? -1, maxVersion)
      const isUsable = api !== undefined && usable >= Math.max(minVersion, api.minVersion)
      return { apiKey, name: nameOf(apiKey), minVersion, maxVersion, latestUsableVersion: isUsable ? usable : null }
    })
}

function describe(answer: ApiVersionsResponse): string {
  const offered = new Map(answer.apiKeys.map((each) => [each.apiKey, each]))
  const known = new Set([...Object.values(ApiKey), ...Object.keys(KRAFT_ONLY).map(Number)])
  const lines = [...new Set([...known, ...offered.keys()])]
    .sort((a, b) => a - b)
    .map((key) => {
      const range = offered.get(key)
      const api = apiByKey(key)
      const name = `${nameOf(key)}(${key})`
      if (range === undefined) return `${name}: UNSUPPORTED`
      const shown = range.minVersion === range.maxVersion ? `${range.minVersion}` : `${range.minVersion} to ${range.maxVersion}`
      if (api === undefined) return `${name}: ${shown}`
      const usable = Math.min(api.maxVersion, range.maxVersion)
      if (usable < range.minVersion) return `${name}: ${shown} [unusable: node too new]`
      return usable < api.minVersion ? `${name}: ${shown} [unusable: node too old]` : `${name}: ${shown} [usable: ${usable}]`
    })
  return `(\n\t${lines.join(',\n\t')}\n)`
}

const PURPOSE = 'This tool helps to retrieve broker version information.'

void runTool({
  purpose: PURPOSE,
  options: [
    {
      name: 'bootstrap-server',
      argument: 'String: server(s) to use for bootstrapping',
      description: 'REQUIRED: The servers to connect to.',
    },
    {
      name: 'command-config',
      argument: 'String: command config property file',
      description: 'A property file with the configuration of the admin client.',
    },
    JSON_OPTION,
  ],
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    line.requireAll(['bootstrap-server'])
    const admin = new Admin({ ...propertiesOf(line, 'command-config'), 'bootstrap.servers': line.required('bootstrap-server') })
    try {
      const { nodes } = await admin.describeCluster()
      const isJson = line.has('json')
      const brokers: object[] = []
      for (const node of nodes) {
        const answer = await admin
          .apiVersions(node)
          .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
        const isAnswered = typeof answer !== 'string'
        brokers.push({ ...node, ...(isAnswered ? { apiVersions: toJson(answer) } : { error: answer }) })
        if (isJson) continue
        const text = isAnswered ? describe(answer) : `ERROR: ${answer}`
        process.stdout.write(`${node.host}:${node.port} (id: ${node.id} rack: ${node.rack ?? 'null'}) -> ${text}\n`)
      }
      if (isJson) printJson({ brokers })
    } finally {
      await admin.close()
    }
  },
})
