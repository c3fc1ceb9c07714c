import { usageOf } from '../../../../cli/tool/usage'

test('two columns of at most 39 with two blanks between, continued lines indented by two', () => {
  const usage = usageOf([
    { name: 'zeta', description: 'Short and just as long as the column is' },
    { name: 'a-name-just-as-long-as-the-column-is1', description: 'One.' },
    {
      name: 'command-config',
      argument: 'String: command config property file',
      description: 'A file with the configuration of the admin client, which is long enough for more than two lines of text.',
    },
  ])
  expect(usage.split('\n')).toEqual([
    'Option                                   Description                            ',
    '------                                   -----------                            ',
    '--a-name-just-as-long-as-the-column-is1  One.                                   ',
    '--command-config <String: command        A file with the configuration of the   ',
    '  config property file>                    admin client, which is long enough   ',
    '                                           for more than two lines of text.     ',
    '--zeta                                   Short and just as long as the column is',
  ])
})

test('columns are no wider than what stands in them', () => {
  const usage = usageOf([
    { name: 'help', description: 'Tells what there is.' },
    { name: 'key', argument: 'String', optionalArgument: true, description: 'A key.' },
  ])
  expect(usage.split('\n')).toEqual([
    'Option          Description         ',
    '------          -----------         ',
    '--help          Tells what there is.',
    '--key [String]  A key.              ',
  ])
})

test('a line may end behind a hyphen, colon, comma or dot within a word; what is longer than a line is cut', () => {
  const description = `one:\n\tfollower.replication.throttled.replicas\n${'x'.repeat(50)}\nnot with the option --bootstrap-server`
  const lines = usageOf([{ name: `o-${'o'.repeat(34)}`, argument: 'Integer: n', description }]).split('\n')
  expect(lines.slice(2).map((line) => line.trimEnd())).toEqual([
    '--o-oooooooooooooooooooooooooooooooooo  one:',
    `  <Integer: n>                          \tfollower.replication.throttled.`,
    '                                          replicas',
    `                                        ${'x'.repeat(39)}`,
    `                                          ${'x'.repeat(11)}`,
    '                                        not with the option --bootstrap-server',
  ])
})
