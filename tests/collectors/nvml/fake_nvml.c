/* A libnvidia-ml.so.1 without a GPU: the part of NVML's C interface that a reading takes, as nvml.h
 * declares it. Its numbers are those of two GPUs; `fake` says what is wrong with them, and is set
 * by the test, which loads the library first. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GPUS 2
#define INSTANCES 3
enum { SUCCESS, UNINITIALIZED, INVALID_ARGUMENT, NOT_SUPPORTED, NOT_FOUND = 6 };

struct fake {
    int init_error;           /* that nvmlInit gives */
    int initialised;          /* 0 as well after the driver was reloaded */
    int gpus;
    int lost[GPUS];           /* error of all calls of a GPU */
    int instances[GPUS];      /* MIG: bit n is instance n */
    int frozen;               /* the energy counters stand */
    char failing[64];         /* this call gives `error` for GPU 0 */
    int error;
    char hanging[64];         /* this call does not return until this is changed */
    uint64_t energy_mj[GPUS];
    unsigned power_mw;
    int field_error;          /* of NVML_FI_DEV_MEMORY_TEMP alone */
    int inits, shutdowns, samples;
} fake;

struct device { int gpu, instance; };   /* instance 0: the whole GPU */
static struct device devices[GPUS][INSTANCES + 1];

__attribute__((constructor)) void fake_reset(void) {
    const char *hanging = getenv("FAKE_NVML_HANGING");
    memset(&fake, 0, sizeof fake);
    fake.gpus = GPUS;
    fake.power_mw = 703459;
    if (hanging) snprintf(fake.hanging, sizeof fake.hanging, "%s", hanging);
    for (int gpu = 0; gpu < GPUS; gpu++) {
        fake.energy_mj[gpu] = 4444200000 + gpu;   /* above 32 bits */
        for (int n = 0; n <= INSTANCES; n++) devices[gpu][n] = (struct device){gpu, n};
    }
}

/* What every call does first. */
static int enter(const char *call, const struct device *device) {
    while (strcmp(fake.hanging, call) == 0) usleep(1000);
    if (!fake.initialised) return UNINITIALIZED;
    if (device && fake.lost[device->gpu]) return fake.lost[device->gpu];
    if (strcmp(fake.failing, call) == 0 && (!device || device->gpu == 0)) return fake.error;
    return SUCCESS;
}
#define ENTER(device) do { int error = enter(__func__, device); if (error) return error; } while (0)
#define WHOLE(device) do { if ((device)->instance) return NOT_SUPPORTED; } while (0)

int nvmlInitWithFlags(unsigned flags) {
    while (strcmp(fake.hanging, "nvmlInit") == 0) usleep(1000);
    if (fake.init_error) return fake.init_error;
    fake.initialised = 1;
    return fake.inits++, flags ? INVALID_ARGUMENT : SUCCESS;
}

int nvmlShutdown(void) {
    fake.shutdowns++;
    if (!fake.initialised) return UNINITIALIZED;
    return fake.initialised = 0, SUCCESS;
}

const char *nvmlErrorString(int error) { return error == 24 ? "Frequency Not Supported" : "?"; }

int nvmlDeviceGetCount_v2(unsigned *count) { ENTER(NULL); return *count = fake.gpus, SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct device **device) {
    if (index >= (unsigned)fake.gpus) return INVALID_ARGUMENT;
    ENTER(&devices[index][0]);
    return *device = &devices[index][0], SUCCESS;
}

int nvmlDeviceGetUUID(struct device *device, char *uuid, unsigned length) {
    ENTER(device);
    snprintf(uuid, length, "GPU-%c%c%c%c0000-0000-0000-0000-000000000000", 'a' + device->gpu,
             'a' + device->gpu, 'a' + device->gpu, 'a' + device->gpu);
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(struct device *device, unsigned *count) {
    ENTER(device);
    return *count = fake.instances[device->gpu] ? INSTANCES : 0, SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(struct device *device, unsigned place, struct device **mig) {
    ENTER(device);
    if (place >= INSTANCES) return INVALID_ARGUMENT;
    if (!(fake.instances[device->gpu] & 2 << place)) return NOT_FOUND;
    return *mig = &devices[device->gpu][place + 1], SUCCESS;
}

int nvmlDeviceGetGpuInstanceId(struct device *device, unsigned *id) {
    ENTER(device);
    return *id = device->instance, device->instance ? SUCCESS : NOT_SUPPORTED;
}

/* Calls that give one number of a whole GPU. */
#define NUMBER(call, type, number)                        \
    int call(struct device *device, type *value) {        \
        ENTER(device);                                    \
        WHOLE(device);                                    \
        return *value = (number), SUCCESS;                \
    }
NUMBER(nvmlDeviceGetPowerUsage, unsigned, fake.power_mw + device->gpu)
NUMBER(nvmlDeviceGetEnforcedPowerLimit, unsigned, 1000000)
NUMBER(nvmlDeviceGetCurrentClocksEventReasons, unsigned long long, 0x44)

int nvmlDeviceGetTemperature(struct device *device, int sensor, unsigned *celsius) {
    ENTER(device);
    WHOLE(device);
    return *celsius = 61, sensor == 0 ? SUCCESS : INVALID_ARGUMENT;
}

struct margin { unsigned version; int celsius; };
int nvmlDeviceGetMarginTemperature(struct device *device, struct margin *margin) {
    ENTER(device);
    WHOLE(device);
    if (margin->version != (sizeof *margin | 1 << 24)) return INVALID_ARGUMENT;
    return margin->celsius = -2, SUCCESS;
}

int nvmlDeviceGetClockInfo(struct device *device, int clock, unsigned *mhz) {
    ENTER(device);
    WHOLE(device);
    return *mhz = clock == 1 ? 1980 : clock == 2 ? 2619 : 0, SUCCESS;
}

struct rates { unsigned gpu, memory; };
int nvmlDeviceGetUtilizationRates(struct device *device, struct rates *percent) {
    ENTER(device);
    if (device->instance || fake.instances[device->gpu]) return NOT_SUPPORTED;
    return percent->gpu = 29, percent->memory = 7, SUCCESS;
}

int nvmlDeviceGetEncoderUtilization(struct device *device, unsigned *percent, unsigned *period_us) {
    ENTER(device);
    WHOLE(device);
    return *percent = 3, *period_us = 167000, SUCCESS;
}

int nvmlDeviceGetDecoderUtilization(struct device *device, unsigned *percent, unsigned *period_us) {
    ENTER(device);
    WHOLE(device);
    return *percent = 4, *period_us = 167000, SUCCESS;
}

struct memory { unsigned version; unsigned long long total, reserved, free, used; };
int nvmlDeviceGetMemoryInfo_v2(struct device *device, struct memory *bytes) {
    ENTER(device);
    if (bytes->version != (sizeof *bytes | 2 << 24)) return INVALID_ARGUMENT;
    bytes->reserved = 512ull << 20;
    bytes->used = (1024ull << 20) * (device->instance + 1);
    bytes->free = (80ull << 30) - bytes->used - bytes->reserved;
    return SUCCESS;
}

struct field {
    unsigned id, scope;
    long long timestamp, latency;
    int type, status;
    union { double d; unsigned u; unsigned long long ull; } value;
};
int nvmlDeviceGetFieldValues(struct device *device, int count, struct field *fields) {
    ENTER(device);
    for (struct field *field = fields; field < fields + count; field++) {
        memset(&field->value, 0xee, sizeof field->value);   /* only the stated member is defined */
        field->type = 3;
        field->status = device->instance ? NOT_SUPPORTED : SUCCESS;
        switch (field->id) {
        case 82: field->type = 0, field->value.u = 88, field->status = fake.field_error; break;
        case 83: field->value.ull = fake.energy_mj[device->gpu] += fake.frozen ? 0 : 3600; break;
        case 94: field->type = 1, field->value.u = 5; break;
        case 74: field->value.ull = 2500000000ull; break;
        case 75: field->value.ull = 1500000000ull; break;
        case 142: field->type = 1, field->value.u = 2; break;
        case 143: field->type = 1, field->value.u = 1; break;
        case 145: field->type = 1, field->value.u = 0; break;
        default: field->status = INVALID_ARGUMENT;
        }
        if (field->status) field->type = 0xee;   /* undefined */
    }
    return SUCCESS;
}

/* Performance monitoring: each sample is numbered, and a metric needs two of one device in order. */
struct sample { struct device device; int number; };
struct metric { unsigned id; int status; double value; const char *texts[3]; };
struct request { unsigned version, count; struct sample *before, *now; struct metric metrics[]; };

int nvmlGpmSampleAlloc(struct sample **sample) {
    ENTER(NULL);
    return *sample = calloc(1, sizeof **sample), fake.samples++, SUCCESS;
}

int nvmlGpmSampleFree(struct sample *sample) { return free(sample), fake.samples--, SUCCESS; }

int nvmlGpmSampleGet(struct device *device, struct sample *sample) {
    static int taken;
    ENTER(device);
    return sample->device = *device, sample->number = ++taken, SUCCESS;
}

int nvmlGpmMigSampleGet(struct device *device, unsigned instance, struct sample *sample) {
    if (instance < 1 || instance > INSTANCES) return INVALID_ARGUMENT;
    return nvmlGpmSampleGet(&devices[device->gpu][instance], sample);
}

int nvmlGpmMetricsGet(struct request *request) {
    ENTER(NULL);
    const struct sample *before = request->before, *now = request->now;
    if (request->version != 1 || before->number >= now->number) return INVALID_ARGUMENT;
    if (memcmp(&before->device, &now->device, sizeof now->device)) return INVALID_ARGUMENT;
    for (unsigned n = 0; n < request->count; n++) {
        struct metric *metric = &request->metrics[n];
        metric->status = SUCCESS;
        if (metric->id == 13) metric->value = NAN;                           /* FP16: no value */
        else if (metric->id >= 20) metric->value = metric->id - 8.5;         /* MiB/s */
        else metric->value = metric->id * 6.25 + now->device.instance;       /* percent */
    }
    return SUCCESS;
}
