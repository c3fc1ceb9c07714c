/**
 * The same questions to Apache ZooKeeper and to the embedded server. answers.txt holds what Apache's 3.8.4 said, so that
 * `npm test` compares without Java; test/zookeeper/live.sh asks a real one again, and `live.sh --record` writes the file.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { realEnvironment } from '../../runtime/real'
import { digestOf } from '../../zookeeper/acl'
import { startZooKeeperServer } from '../../zookeeper/server'
import { startApacheZooKeeper } from './apache'
import { SCRIPT_TICK_MS, SUPER_USER, extendedScript, standardScript } from './script'
import { Transcript } from './transcript'

const ANSWERS = join(__dirname, 'answers.txt')

const SCRIPTS = [
  { extended: false, run: standardScript },
  { extended: true, run: extendedScript },
]

/** What the embedded server answers. */
export async function askEmbedded(dataDir: string | undefined): Promise<string[]> {
  const lines: string[] = []
  for (const { extended, run } of SCRIPTS) {
    const server = await startZooKeeperServer(realEnvironment(), {
      tickTimeMs: SCRIPT_TICK_MS,
      dataDir: dataDir === undefined ? undefined : `${dataDir}/${extended}`,
      extendedTypesEnabled: extended,
      superDigest: digestOf(SUPER_USER),
    })
    const transcript = new Transcript(server.port)
    try {
      await run(transcript)
    } finally {
      await server.close()
    }
    lines.push(...transcript.lines)
  }
  return lines
}

/** What Apache's server answers; it needs Java and its jars. */
export async function askApache(port: number): Promise<string[]> {
  const lines: string[] = []
  for (const { extended, run } of SCRIPTS) {
    const server = await startApacheZooKeeper(port, {
      config: { tickTime: SCRIPT_TICK_MS, maxClientCnxns: 0 },
      properties: {
        'zookeeper.extendedTypesEnabled': String(extended),
        'zookeeper.DigestAuthenticationProvider.superDigest': digestOf(SUPER_USER),
      },
    })
    const transcript = new Transcript(port)
    try {
      await run(transcript)
    } finally {
      await server.stop()
    }
    lines.push(...transcript.lines)
  }
  return lines
}

export function recordedAnswers(): string[] {
  return readFileSync(ANSWERS, 'utf8').trimEnd().split('\n')
}

export function record(lines: string[]): void {
  writeFileSync(ANSWERS, `${lines.join('\n')}\n`)
}

/** Where 3.8.0 (Debian 12) had not learnt yet what 3.8.4 does: questions whose answers are not compared with it. */
const NEW_SINCE_3_8_0 = [/exists "\/acl\/wo"/, /multi 1,15,13,19 /, /multi 1 -> .*zxid=141/]

export function withoutNews(lines: string[]): string[] {
  return lines.filter((line) => !NEW_SINCE_3_8_0.some((pattern) => pattern.test(line)))
}
