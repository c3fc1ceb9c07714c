/** As ZooKeeper writes it in its logs and commands: `0x1000027c88d0000`. */
export function formatSessionId(id: bigint): string {
  return `0x${BigInt.asUintN(64, id).toString(16)}`
}
