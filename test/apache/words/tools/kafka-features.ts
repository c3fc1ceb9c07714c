import type { WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'

export const table: WordsTable = {
  tool: 'kafka-features',
  class: 'org.apache.kafka.tools.FeatureCommand',
  apart: true,
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: HOST },
    // Apache's breaks a line there.
    { args: 'describe', changes: [[/bootstrap- controller/, 'bootstrap-controller']] },
    { args: `${HOST} nope` },
    { args: `${HOST} describe` },
    { args: `${HOST} describe --help` },
    { args: `${HOST} upgrade` },
    { args: `${HOST} upgrade --help` },
    { args: `${HOST} upgrade --feature a` },
    { args: `${HOST} upgrade --feature a=b` },
    { args: `${HOST} upgrade --feature a=1` },
    { args: `${HOST} upgrade --feature a=1 --feature b=2` },
    { args: `${HOST} upgrade --feature a=1 --feature a=2` },
    { args: `${HOST} upgrade --feature a=1 --dry-run` },
    { args: `${HOST} upgrade --metadata 3.9` },
    { args: `${HOST} upgrade --metadata nope` },
    { args: `${HOST} upgrade --metadata 3.3-IV1 --feature a=1` },
    { args: `${HOST} downgrade` },
    { args: `${HOST} downgrade --feature a=1` },
    { args: `${HOST} downgrade --feature a=1 --unsafe` },
    { args: `${HOST} disable` },
    { args: `${HOST} disable --feature a` },
    { args: `${HOST} disable --feature a --dry-run` },
  ],
}
