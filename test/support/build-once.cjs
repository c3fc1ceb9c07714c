// Tests that start real processes run dist/, so it is built from the sources under test, once a run.
const { execFileSync } = require('node:child_process')
const { join } = require('node:path')

module.exports = () => {
  execFileSync(process.execPath, [join(__dirname, '../../scripts/build.mjs'), '--bundles'], { stdio: 'inherit' })
}
