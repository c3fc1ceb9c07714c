// Runs TypeScript by `node -r ./test/support/register.cjs file.ts`, for programs among the tests; no type checks here.
const { transformSync } = require('esbuild')
const { readFileSync } = require('node:fs')

require.extensions['.ts'] = (module, path) => {
  const { code } = transformSync(readFileSync(path, 'utf8'), { loader: 'ts', format: 'cjs', target: 'node20', sourcefile: path, sourcemap: 'inline' })
  module._compile(code, path)
}
