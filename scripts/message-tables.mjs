// How a Kafka message definition becomes one of our tables. Used by generate-messages.mjs and by the drift test.

/** The APIs of a ZooKeeper-mode 3.9 broker: key and name. */
export const apiNames = [
  'Produce',
  'Fetch',
  'ListOffsets',
  'Metadata',
  'LeaderAndIsr',
  'StopReplica',
  'UpdateMetadata',
  'ControlledShutdown',
  'OffsetCommit',
  'OffsetFetch',
  'FindCoordinator',
  'JoinGroup',
  'Heartbeat',
  'LeaveGroup',
  'SyncGroup',
  'DescribeGroups',
  'ListGroups',
  'SaslHandshake',
  'ApiVersions',
  'CreateTopics',
  'DeleteTopics',
  'DeleteRecords',
  'InitProducerId',
  'OffsetForLeaderEpoch',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'EndTxn',
  'WriteTxnMarkers',
  'TxnOffsetCommit',
  'DescribeAcls',
  'CreateAcls',
  'DeleteAcls',
  'DescribeConfigs',
  'AlterConfigs',
  'AlterReplicaLogDirs',
  'DescribeLogDirs',
  'SaslAuthenticate',
  'CreatePartitions',
  'CreateDelegationToken',
  'RenewDelegationToken',
  'ExpireDelegationToken',
  'DescribeDelegationToken',
  'DeleteGroups',
  'ElectLeaders',
  'IncrementalAlterConfigs',
  'AlterPartitionReassignments',
  'ListPartitionReassignments',
  'OffsetDelete',
  'DescribeClientQuotas',
  'AlterClientQuotas',
  'DescribeUserScramCredentials',
  'AlterUserScramCredentials',
  'AlterPartition',
  'UpdateFeatures',
  'Envelope',
  'DescribeCluster',
  'DescribeProducers',
  'DescribeTransactions',
  'ListTransactions',
  'AllocateProducerIds',
  'ConsumerGroupHeartbeat',
  'ConsumerGroupDescribe',
]

export const definitionFolders = [
  'clients/src/main/resources/common/message',
  'group-coordinator/src/main/resources/common/message',
  'transaction-coordinator/src/main/resources/common/message',
]

export const kebab = (name) => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()

/** File name (without .ts) and the definitions that go into it. */
export const apiFiles = apiNames.map((name) => [kebab(name), [`${name}Request`, `${name}Response`]])
export const dataFiles = [
  ['headers', ['RequestHeader', 'ResponseHeader']],
  ['consumer-protocol', ['ConsumerProtocolSubscription', 'ConsumerProtocolAssignment']],
  ['default-principal-data', ['DefaultPrincipalData']],
  ['group-metadata-record', ['GroupMetadataKey', 'GroupMetadataValue']],
  ['offset-commit-record', ['OffsetCommitKey', 'OffsetCommitValue']],
  ['transaction-log-record', ['TransactionLogKey', 'TransactionLogValue']],
]

/** Kafka's definitions are JSON with whole-line comments. */
export const readDefinition = (text) => JSON.parse(text.replace(/^\s*\/\/.*$/gm, ''))

const camel = (name) => name[0].toLowerCase() + name.slice(1)
const primitives = {
  bool: 'boolean',
  int8: 'number',
  int16: 'number',
  uint16: 'number',
  int32: 'number',
  uint32: 'number',
  int64: 'number',
  float64: 'number',
  string: 'string',
  uuid: 'string',
  bytes: 'Buffer',
  records: 'Buffer',
}
const elementOf = (type) => (type.startsWith('[]') ? type.slice(2) : type)
const isSet = (range) => range !== undefined && range !== 'none'

const defaultOf = ({ type, default: given }) => {
  if (given === undefined || given === '') return undefined
  if (given === null || given === 'null') return null
  if (type === 'string') return given
  if (type === 'bool') return given === true || given === 'true' ? true : undefined
  const number = Number(given)
  if (Number.isNaN(number)) throw new Error(`default ${given} of type ${type}`)
  return number === 0 ? undefined : number
}

/** One definition as { name, versions, flexible, fields, common }: what the tables hold, in the order of the wire. */
export const normalize = (definition) => {
  const common = new Map((definition.commonStructs ?? []).map((struct) => [struct.name, struct.fields]))
  const field = (source) => ({
    name: camel(source.name),
    type: source.type,
    options: {
      ...(source.versions !== '0+' && { versions: source.versions }),
      ...(isSet(source.nullableVersions) && { nullable: source.nullableVersions }),
      ...(defaultOf(source) !== undefined && { default: defaultOf(source) }),
      ...(source.tag !== undefined && { tag: source.tag, tagged: source.taggedVersions }),
      ...(source.ignorable && { ignorable: true }),
      ...(source.flexibleVersions !== undefined && { flexible: source.flexibleVersions }),
    },
    fields: source.fields?.map(field),
    common: common.has(elementOf(source.type)),
  })
  return {
    name: definition.name,
    versions: definition.validVersions,
    flexible: definition.flexibleVersions,
    fields: definition.fields.map(field),
    common: new Map([...common].map(([name, fields]) => [name, fields.map(field)])),
  }
}

const structsOf = (message) => {
  const found = new Map()
  const walk = (fields) => {
    for (const field of fields) {
      if (!field.fields) continue
      found.set(elementOf(field.type), field.fields)
      walk(field.fields)
    }
  }
  for (const [name, fields] of message.common) {
    found.set(name, fields)
    walk(fields)
  }
  walk(message.fields)
  return found
}

const literal = (value) => (typeof value === 'string' ? `'${value}'` : String(value))

/** The text of one file of tables. A struct name that two of the messages share gets the message's name in front. */
export const tableFile = (definitions) => {
  const messages = definitions.map(normalize)
  const owners = new Map()
  for (const message of messages) {
    for (const name of [message.name, ...structsOf(message).keys()]) owners.set(name, (owners.get(name) ?? 0) + 1)
  }
  const lines = []
  for (const message of messages) {
    const nameOf = (struct) => (owners.get(struct) > 1 ? message.name + struct : struct)
    const typeOf = (field) => {
      const element = elementOf(field.type)
      const base = primitives[element] ?? nameOf(element)
      return base + (field.type.startsWith('[]') ? '[]' : '') + (field.options.nullable ? ' | null' : '')
    }
    const printInterface = (name, fields) => {
      lines.push('', `export interface ${name} {`, ...fields.map((field) => `  ${field.name}: ${typeOf(field)}`), '}')
    }
    const printFields = (fields, indent) => {
      for (const field of fields) {
        const options = Object.entries(field.options)
          .map(([key, value]) => `${key}: ${literal(value)}`)
          .join(', ')
        const element = elementOf(field.type)
        const type = `'${field.type.startsWith('[]') ? '[]' : ''}${primitives[element] ? element : nameOf(element)}'`
        const start = `${indent}f('${field.name}', ${type}`
        if (field.fields) {
          lines.push(`${start}, { ${options} }, [`.replace('{  }', '{}'))
          printFields(field.fields, `${indent}  `)
          lines.push(`${indent}]),`)
        } else if (field.common) lines.push(`${start}, { ${options} }, ${camel(nameOf(element))}),`.replace('{  }', '{}'))
        else lines.push(options ? `${start}, { ${options} }),` : `${start}),`)
      }
    }
    const needs = (name) =>
      [...(structsOf(message).get(name) ?? [])].filter((field) => field.common).map((field) => elementOf(field.type))
    printInterface(message.name, message.fields)
    for (const [name, fields] of structsOf(message)) printInterface(nameOf(name), fields)
    const printed = new Set()
    const printCommon = (name) => {
      if (printed.has(name)) return
      printed.add(name)
      needs(name).forEach(printCommon)
      lines.push('', `const ${camel(nameOf(name))} = [`)
      printFields(message.common.get(name), '  ')
      lines.push(']')
    }
    for (const name of message.common.keys()) printCommon(name)
    const start = `export const ${camel(message.name)} = message<${message.name}>(`
    const args = `'${message.name}', '${message.versions}', '${message.flexible}', [`
    lines.push('', ...(start.length + args.length > 128 ? [start, `  ${args}`] : [start + args]))
    printFields(message.fields, '  ')
    lines.push('])')
  }
  const usesField = lines.some((line) => /^\s+f\(/.test(line))
  return [
    "// Generated by scripts/generate-messages.mjs from Kafka 3.9's message definitions. Do not edit.",
    `import { ${usesField ? 'f, ' : ''}message } from './schema'`,
    ...lines,
    '',
  ].join('\n')
}
