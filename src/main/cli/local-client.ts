import { controlContract } from '../../device/control-contract.ts'
import { displayContract } from '../../device/display-contract.ts'
import { connectUnixSocket } from '../../platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../../rpc/client.ts'
import type { DataFolder } from '../daemon/data-folder.ts'
import { StartError } from '../daemon/start-error.ts'
import { supervisorContract } from '../daemon/supervisor-contract.ts'

const deviceContract = { ...controlContract, ...displayContract }
export type DeviceClient = Client<typeof deviceContract>
export type SupervisorClient = Client<typeof supervisorContract>

/** The device that runs on a data folder. @throws StartError `start/not-running` */
export async function connectDevice(data: DataFolder): Promise<DeviceClient> {
  return createClient(deviceContract, await connectUnixSocket(data.deviceSocket).catch((cause) => notRunning(data, cause)))
}

/** @throws StartError `start/not-running` */
export async function connectSupervisor(data: DataFolder): Promise<SupervisorClient> {
  return createClient(supervisorContract, await connectUnixSocket(data.supervisorSocket).catch((cause) => notRunning(data, cause)))
}

function notRunning(data: DataFolder, cause: unknown): never {
  throw new StartError('start/not-running', `No device runs on ${data.path}. "elsewhere start --data ${data.path}" starts one.`, { cause })
}
