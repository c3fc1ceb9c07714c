import fc from 'fast-check'
import { formatCsv, parseCsv } from '../../../../cli/consumer-groups/csv'

test('one group is left out, several stand in front', () => {
  const plan = new Map([
    ['g', [{ topic: 't', partition: 0, offset: 5 }]],
    ['h', [{ topic: 'u', partition: 1, offset: 0 }]],
  ])
  expect(formatCsv(plan, true)).toBe('g,t,0,5\nh,u,1,0\n')
  expect(formatCsv(new Map([['g', plan.get('g')!]]), false)).toBe('t,0,5\n')
})

test('texts with a comma, a quote or more than 24 characters are quoted', () => {
  const plan = (topic: string) => new Map([['g', [{ topic, partition: 0, offset: 1 }]]])
  expect(formatCsv(plan('a'.repeat(24)), false)).toBe(`${'a'.repeat(24)},0,1\n`)
  expect(formatCsv(plan('a'.repeat(25)), false)).toBe(`"${'a'.repeat(25)}",0,1\n`)
})

test('what was printed is read', () => {
  const name = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !/[\r\n]/.test(text) && text.trim() === text)
  const row = fc.record({ topic: name, partition: fc.nat(1000), offset: fc.nat() })
  fc.assert(
    fc.property(
      fc.dictionary(name, fc.uniqueArray(row, { minLength: 1, selector: ({ topic, partition }) => `${topic}-${partition}` })),
      (groups) => {
        const plan = new Map(Object.entries(groups))
        expect(parseCsv(formatCsv(plan, true), ['a', 'b'])).toEqual(plan)
      },
    ),
  )
})

test('the short form belongs to the one group that is named; the long form is read, too', () => {
  const rows = [{ topic: 't', partition: 0, offset: 5 }]
  expect(parseCsv('t,0,5\r\n\n', ['g'])).toEqual(new Map([['g', rows]]))
  expect(parseCsv('h,t,0,5', ['g'])).toEqual(new Map([['h', rows]]))
  expect(parseCsv('t,0,1\nt,0,5', ['g'])).toEqual(new Map([['g', rows]]))
})

test.each(['t,x,5', 't,0', 't,0,5\nt,0', 'g,t,0,5', '"t,0,5'])('%j is malformed for two groups or one', (text) => {
  expect(() => parseCsv(text, text.startsWith('g') ? [] : ['g']).get('none')!.length).toThrow()
})
