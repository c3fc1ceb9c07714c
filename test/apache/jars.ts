import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

/** Of Apache Kafka. */
export const VERSION = process.env.KAFKA_VERSION ?? '3.9.1'
/** Of before its tools were written anew. */
export const IS_OLDER = Number(VERSION.split('.')[0]) * 100 + Number(VERSION.split('.')[1]) < 309

const ARTIFACTS = ['kafka_2.13', 'kafka-tools', 'connect-runtime', 'connect-file', 'connect-mirror', 'kafka-streams']

/** Where the jars of Apache Kafka are, or will be. */
export const JARS = join(homedir(), '.cache', `apache-kafka-${VERSION}`)

function isThere(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/** Fetches the jars with Maven, once a version. Gives the reason if there is nothing to test with here. */
export function whyNoApache(): string | undefined {
  if (!isThere('java', '-version')) return 'there is no Java here'
  const complete = join(JARS, '.complete')
  if (existsSync(complete)) return undefined
  if (!isThere('mvn', '-version')) return `the jars of Apache Kafka ${VERSION} are not in ${JARS}, and there is no Maven here`
  const directory = mkdtempSync(join(tmpdir(), 'jars-'))
  const dependency = (group: string, artifact: string, version: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  writeFileSync(
    join(directory, 'pom.xml'),
    [
      '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
      '<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>',
      ...ARTIFACTS.map((artifact) => dependency('org.apache.kafka', artifact, VERSION)),
      dependency('org.slf4j', 'slf4j-reload4j', '1.7.36'),
      '</dependencies></project>',
    ].join('\n'),
  )
  mkdirSync(JARS, { recursive: true })
  const args = ['-q', '-B', '-f', join(directory, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${JARS}`]
  const { status } = spawnSync('mvn', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(directory, { recursive: true, force: true })
  if (status !== 0) return `Maven could not fetch Apache Kafka ${VERSION}`
  // Two bindings of slf4j complain about each other.
  for (const name of readdirSync(JARS)) if (/^(slf4j-log4j12|log4j-1\.2)/.test(name)) rmSync(join(JARS, name))
  writeFileSync(complete, '')
  return undefined
}
