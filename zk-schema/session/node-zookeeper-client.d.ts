/** What we use of node-zookeeper-client 1.1.3, which ships no types. */
declare module 'node-zookeeper-client' {
  type Callback<T extends unknown[]> = (error: import('./package').Failure | null | undefined, ...values: T) => void
  type Stat = import('./replies').Stat

  export interface Client {
    connectionManager: import('./package').ClientTransport
    connect(): void
    close(): void
    onConnectionManagerState(state: number): void
    addAuthInfo(scheme: string, auth: Buffer): void
    remove(path: string, version: number, callback: Callback<[]>): void
    getData(path: string, watcher: (() => void) | undefined, callback: Callback<[data: Buffer | null, stat: Stat]>): void
    exists(path: string, watcher: (() => void) | undefined, callback: Callback<[stat: Stat | null]>): void
    getChildren(path: string, watcher: (() => void) | undefined, callback: Callback<[children: string[], stat: Stat]>): void
  }

  const zookeeper: {
    createClient(connectionString: string, options: { sessionTimeout: number; retries: number }): Client
  }
  export default zookeeper
}

declare module 'node-zookeeper-client/lib/jute' {
  type JuteRecord = import('./package').JuteRecord
  type JuteRequest = import('./package').JuteRequest

  const jute: {
    Request: new (header: JuteRecord, payload: JuteRecord | null) => JuteRequest
    TransactionRequest: new (ops: object[]) => JuteRecord
    protocol: {
      RequestHeader: new (xid: number, type: number) => JuteRecord
      CreateRequest: new (path: string, data: Buffer | undefined, acl: JuteRecord[], flags: number) => JuteRecord
      SetDataRequest: new (path: string, data: Buffer | undefined, version: number) => JuteRecord
      SetACLRequest: new (path: string, acl: JuteRecord[], version: number) => JuteRecord
      GetACLRequest: new (path: string) => JuteRecord
    }
    data: {
      ACL: new (perms: number, id: JuteRecord) => JuteRecord
      Id: new (scheme: string, id: string) => JuteRecord
    }
  }
  export default jute
}
