import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BucketAccess } from '../files/bucket/bucket-contract.ts'

/** s3rver, an S3 server, in a process and a folder of its own, with one bucket. It knows one access key and takes any secret for it. */
export class S3Server {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 's3-'))
  readonly bucket = 'elsewhere-test'
  readonly accessKeyId = 'S3RVER'
  readonly secretAccessKey = 'S3RVER-kept-secret'
  #child: ChildProcess | undefined
  #port = 0

  async start(): Promise<void> {
    const script = fileURLToPath(new URL('s3-server-process.ts', import.meta.url))
    const child = spawn(process.execPath, [script, this.folder, this.bucket], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    this.#port = Number(said.toString())
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get access(): BucketAccess {
    const { endpoint, bucket, accessKeyId, secretAccessKey } = this
    return { endpoint, region: 'us-east-1', bucket, prefix: '', accessKeyId, secretAccessKey }
  }

  /** Every file it keeps, by path. */
  files(): Map<string, Uint8Array> {
    const names = readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
    const files = names.filter((name) => statSync(path.join(this.folder, name)).isFile())
    return new Map(files.map((name) => [name, readFileSync(path.join(this.folder, name))]))
  }

  async end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }

  async dispose(): Promise<void> {
    await this.end()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
