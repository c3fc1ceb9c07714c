import { UsageError } from './command-line'

/** Some of Kafka's tools ask for a port in each address before they begin; `end` stands behind the complaint. */
export function checkAddresses(servers: string, end = '\n '): void {
  if (servers.split(',').some((address) => !/:\d+$/.test(address.trim())))
    throw new UsageError(`Please provide valid host:port like host1:9091,host2:9092${end}`)
}
