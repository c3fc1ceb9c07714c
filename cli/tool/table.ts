/** Cells padded to the widest of their column, a tab behind each: the tables of Kafka's newer tools. Ends with a line's end. */
export function tabTable(headers: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const all = [headers, ...rows.map((row) => row.map(String))]
  const widths = headers.map((_, index) => Math.max(...all.map((row) => row[index]!.length)))
  return all.map((row) => `${row.map((cell, index) => `${cell.padEnd(widths[index]!)}\t`).join('')}\n`).join('')
}
