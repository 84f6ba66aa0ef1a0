import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { S3Server } from '../../testkit/s3-server.ts'
import { S3ObjectStore, type S3Limits } from './s3-object-store.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})
const SECRET = 'kept-secret-of-the-bucket'

/** A server that answers as it is told, and what it was sent. */
async function liar(answer: http.RequestListener, limits: Partial<S3Limits> = {}) {
  const server = http.createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const place = { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', bucket: 'abc', prefix: 'in/' }
  const store = new S3ObjectStore(
    { ...place, accessKeyId: 'key', secretAccessKey: SECRET },
    { attempts: 1, idleMs: 300, sendIdleMs: 5_000, wholeMs: 1_000, ...limits },
  )
  cleanUps.push(() => {
    store.dispose()
    server.closeAllConnections()
    server.close()
  })
  return store
}

it('[BK2] [BK4] on a real S3 server: whole, in part, in parts, listed, removed; what is not there is no error', async () => {
  const server = new S3Server()
  cleanUps.push(() => server.dispose())
  await server.start()
  const store = new S3ObjectStore({ ...server.access, prefix: 'ada/' })
  cleanUps.push(() => store.dispose())
  const bytes = Uint8Array.from({ length: 1000 }, (_, n) => n % 251)
  await store.put('a/one', bytes)
  expect(await store.get('a/one', 10, 5)).toEqual(bytes.slice(10, 15))
  expect(await store.get('a/one', 990, 100)).toEqual(bytes.slice(990))
  expect(await store.get('a/one', 5000, 10)).toEqual(new Uint8Array(0))
  expect(await store.get('a/none', 0, 10)).toBeUndefined()
  const parts = [new Uint8Array(5 * 1024 * 1024).fill(1), new Uint8Array(7).fill(2)]
  const upload = await store.beginUpload('a/big')
  const proofs: string[] = []
  for (const [n, part] of parts.entries()) proofs.push(await store.putPart('a/big', upload, n + 1, part))
  await store.completeUpload('a/big', upload, proofs)
  expect(await store.get('a/big', 5 * 1024 * 1024 - 1, 3)).toEqual(Uint8Array.of(1, 2, 2))
  expect(await store.list('a/')).toEqual(
    new Map([
      ['a/big', 5 * 1024 * 1024 + 7],
      ['a/one', 1000],
    ]),
  )
  await store.remove('a/one')
  await store.remove('a/one')
  expect([...(await store.list('')).keys()]).toEqual(['a/big'])
  const stranger = new S3ObjectStore({ ...server.access, accessKeyId: 'nobody' })
  await expect(stranger.list('')).rejects.toMatchObject({ code: 'bucket/refused' })
  await server.end()
  const alone = new S3ObjectStore(server.access, { attempts: 1 })
  await expect(alone.list('')).rejects.toMatchObject({ code: 'bucket/unreachable' })
  for (const one of [stranger, alone]) one.dispose()
})

it('[BK3] every wrong answer has a code, says nothing of the secret and ends', async () => {
  const truncated = '<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>'
  const cases: readonly { name: string; code: string; answer: http.RequestListener; call?: 'get' }[] = [
    { name: '403', code: 'bucket/refused', answer: (_, to) => to.writeHead(403).end() },
    { name: '500', code: 'bucket/failed', answer: (_, to) => to.writeHead(500).end('<Error><Code>InternalError</Code></Error>') },
    { name: '503', code: 'bucket/failed', answer: (_, to) => to.writeHead(503).end() },
    { name: 'a page of somebody else', code: 'bucket/not-found', answer: (_, to) => to.writeHead(404).end('<html>no</html>') },
    { name: 'a redirection', code: 'bucket/nonsense', answer: (_, to) => to.writeHead(301, { location: 'http://127.0.0.1:9/' }).end() },
    { name: 'no XML', code: 'bucket/nonsense', answer: (_, to) => to.writeHead(200).end('<<<') },
    { name: 'a list without an end', code: 'bucket/nonsense', answer: (_, to) => to.writeHead(200).end(`${truncated}</ListBucketResult>`) },
    { name: 'silence', code: 'bucket/unreachable', answer: () => {} },
    { name: 'a cut', code: 'bucket/unreachable', answer: (from) => from.socket.destroy() },
    {
      name: 'more than was asked for',
      code: 'bucket/nonsense',
      call: 'get',
      answer: (_, to) => to.writeHead(206).end(Buffer.alloc(100_000)),
    },
    {
      name: 'bytes without an end',
      code: 'bucket/nonsense',
      call: 'get',
      answer: (_, to) => {
        to.writeHead(206)
        const pour = setInterval(() => to.write(Buffer.alloc(50)), 5)
        to.on('close', () => clearInterval(pour))
      },
    },
    {
      name: 'silence in the middle',
      code: 'bucket/unreachable',
      call: 'get',
      answer: (_, to) => {
        to.writeHead(206, { 'content-length': '64' })
        to.write(Buffer.alloc(10))
      },
    },
  ]
  for (const { name, code, answer, call } of cases) {
    const store = await liar(answer)
    const error = await (call === 'get' ? store.get('a', 0, 64) : store.list('')).then(
      () => undefined,
      (told: unknown) => told as Error & { code: string },
    )
    expect(error?.code, name).toBe(code)
    expect(`${error?.message} ${JSON.stringify(error)}`, name).not.toContain(SECRET)
  }
})

it('[BK4] an uplink may be slow: what is under way is waited for while it moves, and given up when it stands still', async () => {
  const slow = await liar((from, to) => {
    // Longer than a request may be idle, and longer than one without bytes may take.
    let left = 0
    from.on('data', ({ length }: Buffer) => {
      if ((left -= length) > 0) return
      from.pause()
      setTimeout(() => {
        left = 200 * 1024
        from.resume()
      }, 30)
    })
    from.on('end', () => to.writeHead(200, { etag: '"x"' }).end())
  })
  const part = new Uint8Array(16 * 1024 * 1024)
  expect(await slow.putPart('a', 'upload', 1, part)).toBe('"x"')
  await expect(slow.put('a', part)).resolves.toBeUndefined()
  const still = await liar(() => {}, { sendIdleMs: 300 })
  await expect(still.put('a', part)).rejects.toMatchObject({ code: 'bucket/unreachable' })
  const small = await liar((from, to) => from.resume().on('end', () => to.writeHead(400).end('<Error><Code>EntityTooSmall</Code></Error>')))
  await expect(small.completeUpload('a', 'upload', ['"x"'])).rejects.toMatchObject({ code: 'bucket/upload-gone' })
})
