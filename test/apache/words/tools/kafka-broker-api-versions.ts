import type { WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'

export const table: WordsTable = {
  tool: 'kafka-broker-api-versions',
  class: 'kafka.admin.BrokerApiVersionsCommand',
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: '--command-config x' },
    { args: '--bootstrap-server' },
    { args: `${HOST} --nonsense` },
    { args: '--bootstrap-server nowhere', compare: ['code'] },
    { args: `${HOST} ${HOST}`, compare: ['code'] },
    { args: `${HOST} --command-config {dir}/missing`, compare: ['code'], ours: /missing/ },
    { args: `${HOST} --command-config {dir}/client`, files: { client: 'request.timeout.ms=5000\n' } },
    { args: HOST },
    { args: `${HOST} extra` },
  ],
}
