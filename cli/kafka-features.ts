import { MaintenanceAdmin, isUnsupported } from '../client/admin/maintenance'
import { latestMetadataVersion, parseMetadataVersion } from '../protocol/rules/metadata-version'
import { Failure, runArgparseTool } from './tool/argparse-tool'
import { JSON_ARGUMENT, printJson } from './tool/json'
import { propertiesIn } from './tool/run'
import type { Argument, Arguments, Parser } from './tool/argparse'

const METADATA_VERSION = 'metadata.version'
const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const UNSAFE_DOWNGRADE = 3

const FEATURE: Argument = { name: '--feature', kind: 'append', help: 'A feature and its level: `metadata.version=5`.' }
const DRY_RUN: Argument = { name: '--dry-run', kind: 'flag', help: 'Checks the change without making it.' }
const UNSAFE: Argument = { name: '--unsafe', kind: 'flag', help: 'Makes the change even if metadata may be lost by it.' }

const PARSER: Parser = {
  program: 'kafka-features',
  namesCommands: true,
  description: 'This tool manages feature flags in Kafka.',
  arguments: [
    { name: '--bootstrap-server', oneOf: 'connection', help: 'The servers to connect to, host:port and comma.' },
    { name: '--bootstrap-controller', oneOf: 'connection', help: 'The KRaft controllers to connect to, host:port and comma.' },
    { name: '--command-config', help: 'A property file with the configuration of the admin client.' },
  ],
  commands: [
    { name: 'describe', help: 'Shows the features.', arguments: [JSON_ARGUMENT] },
    {
      name: 'upgrade',
      help: 'Raises the level of features.',
      arguments: [{ name: '--metadata', help: 'The level of the metadata: 3.3-IV3.' }, FEATURE, DRY_RUN],
    },
    {
      name: 'downgrade',
      help: 'Lowers the level of features.',
      arguments: [{ name: '--metadata', help: 'The level of the metadata: 3.3-IV0.' }, FEATURE, UNSAFE, DRY_RUN],
    },
    {
      name: 'disable',
      help: 'Lowers the level of features to 0.',
      arguments: [{ ...FEATURE, help: 'A feature.' }, UNSAFE, DRY_RUN],
    },
  ],
}

const out = (text: string): void => void process.stdout.write(`${text}\n`)

async function describe(admin: MaintenanceAdmin, isJson: boolean): Promise<void> {
  const { supported, finalized, epoch } = await admin.describeFeatures()
  if (isJson) {
    printJson({
      finalizedFeatures: byName(finalized, ({ minVersionLevel, maxVersionLevel }) => ({ minVersionLevel, maxVersionLevel })),
      finalizedFeaturesEpoch: epoch ?? null,
      supportedFeatures: byName(supported, ({ minVersion, maxVersion }) => ({ minVersion, maxVersion })),
    })
    return
  }
  for (const { name, minVersion, maxVersion } of [...supported].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const level = finalized.find((each) => each.name === name)?.maxVersionLevel ?? 0
    const columns = [`Feature: ${name}`, `SupportedMinVersion: ${shown(name, minVersion)}`, `SupportedMaxVersion: ${shown(name, maxVersion)}`]
    out([...columns, `FinalizedVersionLevel: ${shown(name, level)}`, `Epoch: ${epoch ?? '-'}`].join('\t'))
  }
}

function byName<T extends { name: string }>(features: readonly T[], valueOf: (feature: T) => object): object {
  return Object.fromEntries(features.map((feature) => [feature.name, valueOf(feature)]))
}

/** Kafka's first version with a level was 3.0-IV1; each later one counts one more. */
const LEVELS = [
  '3.0-IV1', '3.1-IV0', '3.2-IV0', '3.3-IV0', '3.3-IV1', '3.3-IV2', '3.3-IV3', '3.4-IV0', '3.5-IV0', '3.5-IV1', '3.5-IV2',
  '3.6-IV0', '3.6-IV1', '3.6-IV2', '3.7-IV0', '3.7-IV1', '3.7-IV2', '3.7-IV3', '3.7-IV4', '3.8-IV0', '3.9-IV0', '4.0-IV0',
  '4.0-IV1', '4.0-IV2', '4.0-IV3', '4.1-IV0', '4.1-IV1',
]

/** The first one that Kafka without ZooKeeper can start with. */
const FIRST_SUPPORTED = '3.3-IV0'

function shown(feature: string, level: number): string {
  if (feature !== METADATA_VERSION) return String(level)
  return LEVELS[level - 1] ?? `UNKNOWN ${level}`
}

function levelOfVersion(text: string): number {
  const version = parseMetadataVersion(text)
  const level = LEVELS.indexOf(version === undefined ? text : version.name) + 1
  if (level > 0) return level
  const known = LEVELS.slice(LEVELS.indexOf(FIRST_SUPPORTED), LEVELS.indexOf(latestMetadataVersion.name) + 1)
  throw new Error(`Unsupported metadata.version ${text}. Supported metadata.version are ${known.join(', ')}`)
}

function levelsOf(given: Arguments): Map<string, number> {
  const levels = new Map<string, number>()
  const metadata = given.text('--metadata')
  if (metadata !== undefined) levels.set(METADATA_VERSION, levelOfVersion(metadata))
  for (const text of given.list('--feature')) {
    const isDisabling = given.command === 'disable'
    const at = text.indexOf('=')
    if (!isDisabling && at < 0) throw new Error(`Can't parse feature=level string ${text}: equals sign not found.`)
    const name = isDisabling ? text : text.slice(0, at).trim()
    const level = isDisabling ? '0' : text.slice(at + 1).trim()
    if (!/^[-+]?\d+$/.test(level) || Math.abs(Number(level)) > 32767)
      throw new Error(`Can't parse feature=level string ${text}: unable to parse ${level} as a short.`)
    if (levels.has(name)) throw new Error(`Feature ${name} was specified more than once.`)
    levels.set(name, Number(level))
  }
  return levels
}

async function update(admin: MaintenanceAdmin, given: Arguments): Promise<void> {
  const verb = given.command!
  const levels = levelsOf(given)
  if (levels.size === 0) throw new Error(`You must specify at least one feature to ${verb}`)
  const upgradeType = verb === 'upgrade' ? UPGRADE : given.has('--unsafe') ? UNSAFE_DOWNGRADE : SAFE_DOWNGRADE
  const isDry = given.has('--dry-run')
  let results: Map<string, Error | undefined>
  try {
    results = await admin.updateFeatures([...levels].map(([feature, level]) => ({ feature, level, upgradeType })), isDry)
  } catch (error) {
    if (!isUnsupported(error)) throw error
    results = new Map([...levels.keys()].map((feature) => [feature, new Error('The node does not support UPDATE_FEATURES')]))
  }
  let failures = 0
  for (const [feature, error] of [...results].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const level = levels.get(feature)!
    if (error === undefined) {
      out(`${feature}${isDry ? ' can be ' : ' was '}${verb === 'disable' ? 'disabled.' : `${verb}d to ${level}.`}`)
      continue
    }
    failures++
    const what = verb === 'disable' ? `disable ${feature}` : `${verb} ${feature} to ${level}`
    out(`${isDry ? 'Can not ' : 'Could not '}${what}. ${error.message}`)
  }
  if (failures > 0) throw new Failure(`${failures} out of ${levels.size} operation(s) failed.`)
}

void runArgparseTool(PARSER, async (given) => {
  const file = given.text('--command-config')
  const properties = file === undefined ? {} : propertiesIn(file)
  const servers = given.text('--bootstrap-server')
  if (servers === undefined) throw new Failure('KRaft controllers are not supported: connect to a broker by --bootstrap-server')
  const admin = new MaintenanceAdmin({ ...properties, 'bootstrap.servers': servers })
  try {
    if (given.command === 'describe') await describe(admin, given.has('--json'))
    else await update(admin, given)
  } finally {
    await admin.close()
  }
})
