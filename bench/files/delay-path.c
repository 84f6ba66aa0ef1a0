/*
 * delay-path NETNS-A NETNS-B INTERFACE ONE-WAY-MS LOSS-PERCENT: a cable between two network namespaces that takes its time and
 * loses packets, for kernels without netem. Makes a TUN device in each and carries whole packets between them, so that TCP and
 * SCTP see the delay end to end. No limit of bandwidth. Runs until it is ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 65536

typedef struct { long long due; int length; unsigned char bytes[1600]; } Packet;
typedef struct { int in, out; Packet *ring; _Atomic unsigned head, tail; unsigned seed; } Way;

static long long delay_ns;
static double loss;
static Way ways[2];

static long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *take(void *argument) {
  Way *way = argument;
  for (;;) {
    Packet *packet = &way->ring[way->head % SLOTS];
    int length = read(way->in, packet->bytes, sizeof packet->bytes);
    if (length <= 0) continue;
    if (loss > 0 && rand_r(&way->seed) / (RAND_MAX + 1.0) < loss) continue;
    if (way->head - way->tail >= SLOTS - 1) continue;
    packet->length = length;
    packet->due = now_ns() + delay_ns;
    way->head++;
  }
  return 0;
}

static void *give(void *argument) {
  Way *way = argument;
  prctl(PR_SET_TIMERSLACK, 1);
  for (;;) {
    if (way->tail == way->head) {
      struct timespec pause = {0, 100000};
      nanosleep(&pause, 0);
      continue;
    }
    Packet *packet = &way->ring[way->tail % SLOTS];
    if (packet->due - now_ns() > 20000) {
      struct timespec until = {packet->due / 1000000000LL, packet->due % 1000000000LL};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, 0);
    }
    if (write(way->out, packet->bytes, packet->length) < 0 && errno != EIO) perror("write");
    way->tail++;
  }
  return 0;
}

static int tun(const char *namespace, const char *name) {
  char path[128];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int handle = open(path, O_RDONLY);
  if (handle < 0 || setns(handle, CLONE_NEWNET)) { perror(path); exit(1); }
  int device = open("/dev/net/tun", O_RDWR);
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (device < 0 || ioctl(device, TUNSETIFF, &request)) { perror("tun"); exit(1); }
  return device;
}

int main(int count, char **words) {
  if (count != 6) return 2;
  delay_ns = (long long)(atof(words[4]) * 1e6);
  loss = atof(words[5]) / 100;
  int a = tun(words[1], words[3]), b = tun(words[2], words[3]);
  for (int n = 0; n < 2; n++) {
    pthread_t thread;
    ways[n].in = n ? b : a;
    ways[n].out = n ? a : b;
    ways[n].ring = malloc(sizeof(Packet) * SLOTS);
    ways[n].seed = n + 1;
    pthread_create(&thread, 0, take, &ways[n]);
    pthread_create(&thread, 0, give, &ways[n]);
  }
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}
