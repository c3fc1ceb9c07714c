// TypeScript for jest, by the esbuild that also builds the product: one compiler, no type checks here (`tsc` does those).
const { transformSync } = require('esbuild')

module.exports = {
  process(source, path) {
    return transformSync(source, { loader: 'ts', format: 'cjs', target: 'node20', sourcefile: path, sourcemap: 'inline' })
  },
}
