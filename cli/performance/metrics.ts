/** What the client can tell of itself. Kafka's clients have some hundred metrics more. */
export interface Metric {
  group: string
  name: string
  tags: Readonly<Record<string, string>>
  value: number
}

/** The table behind `--print-metrics`, as ToolsUtils.printMetrics lays it out. */
export function metricsTable(metrics: readonly Metric[]): string {
  const rows = metrics
    .map(({ group, name, tags, value }) => ({
      name: `${group}:${name}:{${Object.entries(tags)
        .map(([tag, text]) => `${tag}=${text}`)
        .join(', ')}}`,
      value: value.toFixed(3),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const width = Math.max('Metric Name'.length, ...rows.map(({ name }) => name.length))
  return (
    `\n${'Metric Name'.padEnd(width)}   ` +
    `Value\n${rows.map(({ name, value }) => `${name.padEnd(width)} : ${value}\n`).join('')}`
  )
}
