// Prints, for each case on standard input ([{ name, args }], JSON), what @platformatic/kafka would send, in hex.
import { readFileSync } from 'node:fs'
import * as platformatic from '@platformatic/kafka'

const revive = (_, value) => {
  if (value?.bigint !== undefined) return BigInt(value.bigint)
  return value?.hex === undefined ? value : Buffer.from(value.hex, 'hex')
}

for (const { name, args } of JSON.parse(readFileSync(0, 'utf8'), revive)) {
  console.log(Buffer.from(platformatic[name].createRequest(...args).buffer).toString('hex'))
}
