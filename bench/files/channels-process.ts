import { DatachannelRtc } from '../../src/platform/node/datachannel-rtc.ts'

/*
 * Raw data channels between two machines, without us: `channels-process.ts send|take CONNECTIONS MEGABYTES`. Descriptions and
 * candidates go through the parent (`process.send`). `take` tells MB/s, from the first byte to the last.
 */
const [, , role, connections = '1', megabytes = '16'] = process.argv
const total = Number(megabytes) * 1e6
const HIGH_BYTES = 64 * 1024
const frame = new Uint8Array(16 * 1024).fill(7)
const rtc = new DatachannelRtc()

interface Told {
  readonly at: number
  readonly sdp?: string
  readonly candidate?: { readonly candidate: string; readonly mid: string }
}
const tell = (told: Told | { readonly rate: number }) => void process.send?.(told)

let sent = 0
let got = 0
let startMs = 0
let open = 0
const ends = Array.from({ length: Number(connections) }, (_, at) => {
  const connection = rtc.createConnection({ iceServers: [] })
  const channel = connection.createChannel({ label: 'raw', id: 0, lowBytes: 16 * 1024 })
  connection.onDidFindCandidate((candidate) => tell({ at, candidate }))
  const fill = () => {
    while (sent < total && channel.bufferedAmount < HIGH_BYTES) {
      channel.send(frame)
      sent += frame.length
    }
  }
  channel.onDidDrain(() => role === 'send' && open === Number(connections) && fill())
  channel.onDidOpen(() => {
    if (++open === Number(connections) && role === 'send') for (const end of ends) end.fill()
  })
  channel.onDidReceive((bytes) => {
    startMs ||= performance.now()
    got += bytes.length
    if (got >= total) tell({ rate: got / 1e3 / (performance.now() - startMs) })
  })
  return { connection, fill }
})

process.on('message', async ({ at, sdp, candidate }: Told) => {
  const connection = ends[at]?.connection
  if (candidate) connection?.addCandidate(candidate)
  else if (sdp !== undefined && role === 'send') connection?.acceptAnswer(sdp)
  else if (sdp !== undefined && connection) tell({ at, sdp: await connection.acceptOffer(sdp) })
})
if (role === 'send') ends.forEach(({ connection }, at) => void connection.createOffer().then((sdp) => tell({ at, sdp })))
