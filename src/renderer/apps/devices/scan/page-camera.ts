import type { Camera } from './scan-camera.ts'

/** Enough for a code that fills a quarter of the picture; more only takes longer to look at. */
const WANTED: MediaTrackConstraints = { width: { ideal: 1_280 }, height: { ideal: 720 } }

/** The camera of this display, as its browser gives it. On a phone the one at its back, unless another is asked for. */
export const pageCamera: Camera = {
  open: async (camera) => {
    // Not there on a page that is not its own address's, or where a host has none to give.
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException('this page has no cameras', 'NotSupportedError')
    const which: MediaTrackConstraints = camera === undefined ? { facingMode: { ideal: 'environment' } } : { deviceId: { exact: camera } }
    return navigator.mediaDevices.getUserMedia({ audio: false, video: { ...WANTED, ...which } })
  },
  count: async () => (await cameras()).length,
}

const cameras = async () => (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === 'videoinput')

/** The camera after that one, round and round. */
export async function nextCamera(stream: MediaStream): Promise<string | undefined> {
  const all = await cameras()
  const at = all.findIndex(({ deviceId }) => deviceId === stream.getVideoTracks()[0]?.getSettings().deviceId)
  return all[(at + 1) % all.length]?.deviceId
}

/** Towards the person: shown as in a mirror, or the hand goes the wrong way. */
export const isMirrored = (stream: MediaStream): boolean => stream.getVideoTracks()[0]?.getSettings().facingMode !== 'environment'
