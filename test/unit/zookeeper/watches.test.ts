import fc from 'fast-check'
import { OPEN_ACL } from '../../../zookeeper/acl'
import type { Change } from '../../../zookeeper/data-tree'
import { EventType } from '../../../zookeeper/protocol'
import { WatchMode, WatcherType, Watches } from '../../../zookeeper/watches'
import type { Watcher } from '../../../zookeeper/watches'

const NAMES = ['', 'created', 'deleted', 'changed', 'children']

class Listener implements Watcher {
  heard: string[] = []

  notify(type: EventType, path: string): void {
    this.heard.push(`${NAMES[type]} ${path}`)
  }

  take(): string[] {
    const heard = this.heard
    this.heard = []
    return heard
  }
}

function change(type: Change['type'], path: string): Change {
  return { type, path, acl: OPEN_ACL, parentAcl: OPEN_ACL }
}

const { nodeCreated, nodeDeleted, nodeDataChanged } = EventType

test('a watch fires once, however often it was set', () => {
  const watches = new Watches()
  const listener = new Listener()
  watches.data.add('/a', listener, WatchMode.oneShot)
  watches.data.add('/a', listener, WatchMode.oneShot)
  watches.fire(change(nodeDataChanged, '/a'))
  watches.fire(change(nodeDataChanged, '/a'))
  expect(listener.take()).toEqual(['changed /a'])
  expect(watches.count).toBe(0)
})

test('who watches data and children of a deleted node is told once; the parent too', () => {
  const watches = new Watches()
  const listener = new Listener()
  watches.data.add('/a', listener, WatchMode.oneShot)
  watches.children.add('/a', listener, WatchMode.oneShot)
  watches.children.add('/', listener, WatchMode.oneShot)
  watches.fire(change(nodeDeleted, '/a'))
  expect(listener.take()).toEqual(['deleted /a', 'children /'])
  expect(watches.count).toBe(0)
})

test('a one-shot watch beside a persistent one does not use it up (ZOOKEEPER-4466)', () => {
  const watches = new Watches()
  const listener = new Listener()
  watches.addPersistent('/a', listener, false)
  watches.data.add('/a', listener, WatchMode.oneShot)
  for (let i = 0; i < 3; i++) watches.fire(change(nodeDataChanged, '/a'))
  expect(listener.take()).toEqual(['changed /a', 'changed /a', 'changed /a'])
  watches.addPersistent('/a', listener, true)
  watches.fire(change(nodeCreated, '/a/b'))
  expect(listener.take()).toEqual(['created /a/b', 'children /a'])
})

test('recursive watches see the subtree, and no children changes', () => {
  const watches = new Watches()
  const [root, deep] = [new Listener(), new Listener()]
  watches.addPersistent('/', root, true)
  watches.addPersistent('/a/b', deep, true)
  watches.fire(change(nodeCreated, '/a/b/c/d'))
  watches.fire(change(nodeCreated, '/a/bx'))
  watches.fire(change(nodeDataChanged, '/'))
  expect(root.take()).toEqual(['created /a/b/c/d', 'created /a/bx', 'changed /'])
  expect(deep.take()).toEqual(['created /a/b/c/d'])
  expect(watches.remove('/', WatcherType.any, root)).toBe(true)
  watches.fire(change(nodeCreated, '/a/b'))
  expect(root.take()).toEqual([])
  expect(deep.take()).toEqual(['created /a/b'])
})

test('removing asks for the table that is meant', () => {
  const watches = new Watches()
  const listener = new Listener()
  watches.data.add('/a', listener, WatchMode.oneShot)
  expect(watches.has('/a', WatcherType.data, listener)).toBe(true)
  expect(watches.has('/a', WatcherType.children, listener)).toBe(false)
  expect(watches.has('/a', WatcherType.any, new Listener())).toBe(false)
  expect(watches.remove('/a', WatcherType.children, listener)).toBe(false)
  expect(watches.remove('/a', WatcherType.any, listener)).toBe(true)
  expect(watches.remove('/a', WatcherType.any, listener)).toBe(false)
})

test('any mixture of watches and changes: as a plain list would do it, and nothing is left behind', () => {
  const path = fc.constantFrom('/', '/a', '/a/b', '/a/b/c', '/d')
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('data', 'children', 'persistent', 'recursive', 'remove'), path, who: fc.nat({ max: 2 }) }),
    fc.record({ kind: fc.constantFrom('created', 'deleted'), path: path.filter((name) => name !== '/'), who: fc.constant(0) }),
    fc.record({ kind: fc.constant('changed'), path, who: fc.constant(0) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const watches = new Watches()
      const listeners = [new Listener(), new Listener(), new Listener()]
      let plain: { kind: string; path: string; who: number }[] = []
      for (const { kind, path, who } of steps) {
        const listener = listeners[who]!
        if (kind === 'data' || kind === 'children') watches[kind].add(path, listener, WatchMode.oneShot)
        if (kind === 'persistent' || kind === 'recursive') watches.addPersistent(path, listener, kind === 'recursive')
        if (kind === 'remove') {
          watches.remove(path, WatcherType.any, listener)
          plain = plain.filter((watch) => watch.path !== path || watch.who !== who)
        } else if (['data', 'children', 'persistent', 'recursive'].includes(kind)) {
          if (!plain.some((watch) => watch.kind === kind && watch.path === path && watch.who === who))
            plain.push({ kind, path, who })
        } else {
          const type = kind === 'created' ? nodeCreated : kind === 'deleted' ? nodeDeleted : nodeDataChanged
          watches.fire(change(type, path))
          const parent = path.lastIndexOf('/') === 0 ? '/' : path.slice(0, path.lastIndexOf('/'))
          const above = (watch: string): boolean => watch === '/' || path === watch || path.startsWith(`${watch}/`)
          const own = plain.filter(
            (watch) =>
              (watch.kind === 'recursive' && above(watch.path)) ||
              (watch.path === path && (watch.kind !== 'children' || kind === 'deleted') && watch.kind !== 'recursive'),
          )
          // The child watches of a node itself only hear of its deletion.
          const ofParent = plain.filter(
            (watch) => kind !== 'changed' && watch.path === parent && (watch.kind === 'children' || watch.kind === 'persistent'),
          )
          listeners.forEach((one, index) => {
            const expected: string[] = []
            if (own.some((watch) => watch.who === index)) expected.push(`${kind} ${path}`)
            if (ofParent.some((watch) => watch.who === index)) expected.push(`children ${parent}`)
            expect(one.take()).toEqual(expected)
          })
          const stays = ['persistent', 'recursive']
          plain = plain.filter((watch) => stays.includes(watch.kind) || (!own.includes(watch) && !ofParent.includes(watch)))
        }
      }
      for (const listener of listeners) watches.removeWatcher(listener)
      expect(watches.count).toBe(0)
      expect(watches.data.paths.size + watches.children.paths.size).toBe(0)
    }),
  )
})
