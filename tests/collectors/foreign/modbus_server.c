/* A Modbus TCP server through libmodbus, for the tests of a client: PORT; says "listening", then
 * answers one connection after another for two minutes.
 *
 * Holding registers 100*k .. 100*k+19 hold one value of each type in word order k (0 ABCD, 1 BADC,
 * 2 CDAB, 3 DCBA). What libmodbus can place by itself it does; of its floats only the one without
 * an order in its name, since the named ones changed their meaning between its versions. Input
 * registers, coils and discrete inputs hold a few values of their own. A read that touches holding registers 450..459
 * is answered with exception 4; what is not mapped, with libmodbus's own exception 2.
 */
#include <errno.h>
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ABCD, BADC, CDAB, DCBA };
enum { HOLDING = 500, INPUT = 10, BITS = 16, FAILING = 450, FAILING_END = 460, LIFETIME_S = 120 };

static void place(uint16_t *to, const void *value, int registers, int order)
{
    uint8_t big_endian[8];
    for (int i = 0; i < 2 * registers; i++)
        big_endian[i] = ((const uint8_t *) value)[2 * registers - 1 - i]; /* from a little-endian host */
    int swapped_bytes = order & 1, low_word_first = order & 2;
    for (int i = 0; i < registers; i++) {
        int word = low_word_first ? registers - 1 - i : i;
        uint8_t high = big_endian[2 * word], low = big_endian[2 * word + 1];
        to[i] = swapped_bytes ? (low << 8) | high : (high << 8) | low;
    }
}

static void fill(uint16_t *to, int order)
{
    int16_t i16 = -12345;
    uint16_t u16 = 54321;
    int32_t i32 = -1234567890;
    uint32_t u32 = 3456789012u;
    int64_t i64 = -1234567890123456;
    uint64_t u64 = 9007199254740991u;
    float f32 = 1234.5f;
    double f64 = 987654.321;

    place(to, &i16, 1, order);
    place(to + 1, &u16, 1, order);
    place(to + 2, &i32, 2, order);
    place(to + 4, &u32, 2, order);
    place(to + 6, &f32, 2, order);
    place(to + 8, &i64, 4, order);
    place(to + 12, &u64, 4, order);
    place(to + 16, &f64, 4, order);
    if (order == ABCD) {
        MODBUS_SET_INT32_TO_INT16(to, 2, i32);
        MODBUS_SET_INT64_TO_INT16(to, 8, i64);
    }
    if (order == CDAB)
        modbus_set_float(f32, to + 6);
}

static int fails(const uint8_t *query, int header)
{
    int address = (query[header + 1] << 8) | query[header + 2];
    int count = (query[header + 3] << 8) | query[header + 4];
    return query[header] == MODBUS_FC_READ_HOLDING_REGISTERS && address < FAILING_END
        && address + count > FAILING;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    alarm(LIFETIME_S);
    modbus_t *modbus = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    modbus_mapping_t *map = modbus_mapping_new(BITS, BITS, HOLDING, INPUT);
    for (int order = 0; order < 4; order++)
        fill(map->tab_registers + 100 * order, order);
    for (int i = 0; i < BITS; i++) {
        map->tab_bits[i] = i % 3 == 0;
        map->tab_input_bits[i] = i % 2 == 0;
    }
    map->tab_input_registers[0] = 4242;
    modbus_set_float(49.98f, map->tab_input_registers + 1);

    int listener = modbus_tcp_listen(modbus, 4);
    if (listener == -1) {
        fprintf(stderr, "%s\n", modbus_strerror(errno));
        return 1;
    }
    puts("listening");
    fflush(stdout);
    int header = modbus_get_header_length(modbus);
    for (;;) {
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        if (modbus_tcp_accept(modbus, &listener) == -1)
            return 1;
        int length;
        while ((length = modbus_receive(modbus, query)) != -1) {
            if (length > 0 && fails(query, header))
                modbus_reply_exception(modbus, query, MODBUS_EXCEPTION_SLAVE_OR_SERVER_FAILURE);
            else if (length > 0)
                modbus_reply(modbus, query, length, map);
        }
        modbus_close(modbus);
    }
}
