import type { Line, WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
/** Kafka's tool says the name of the file, and nothing else. */
const MISSING = { compare: ['code', 'out'], ours: /missing\.properties cannot be read/ } satisfies Partial<Line>
const TWICE = [/^(.+)\n\1\n*$/, '$1\n'] as const

export const table: WordsTable = {
  tool: 'kafka-cluster',
  class: 'org.apache.kafka.tools.ClusterTool',
  apart: true,
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: HOST },
    { args: 'nope' },
    { args: 'cluster-id' },
    { args: 'cluster-id --help' },
    { args: `cluster-id ${HOST}` },
    { args: 'cluster-id -b {bootstrap}' },
    { args: `cluster-id ${HOST} --bootstrap-controller x:1` },
    { args: `cluster-id ${HOST} --config {dir}/missing.properties`, ...MISSING },
    { args: `unregister ${HOST}` },
    { args: `unregister ${HOST} --id x` },
    { args: `unregister ${HOST} --id 99` },
    { args: 'unregister --help' },
  ].map((line) => ({ ...line, changes: [TWICE] })),
}
