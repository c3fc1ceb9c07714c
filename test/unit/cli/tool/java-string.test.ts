import { javaString } from '../../../../cli/tool/java-string'

// As jshell prints new String(bytes, UTF_8).
test.each([
  ['', ''],
  ['616263', 'abc'],
  ['e282ac', '€'],
  ['ed9fbf', '\ud7ff'],
  ['61ed', 'a\ufffd'],
  ['01a201edb62a', '\u0001\ufffd\u0001\ufffd*'],
  ['edb6', '\ufffd'],
  ['eda080edb0802a', '\ufffd\ufffd*'],
  ['ededa0', '\ufffd\ufffd'],
  ['e282eda0412a', '\ufffd\ufffdA*'],
  ['f09f9880', '😀'],
  ['f09f98', '\ufffd'],
  ['f4908080', '\ufffd\ufffd\ufffd\ufffd'],
  ['c080', '\ufffd\ufffd'],
])('%s', (hex, text) => {
  expect(javaString(Buffer.from(hex, 'hex'))).toBe(text)
})
