/* The board: ARM MPS2 with a Cortex-M4 (AN386), as QEMU has it. Files are the host's, by ARM semihosting. QEMU runs
 * with -icount, so that each instruction takes the same time and the system timer counts them; a loop of known length
 * at start says how many ticks an instruction takes. Source: ARM Semihosting for AArch32 (operations), ARMv7-M
 * Architecture Reference Manual B3.3 (SysTick), Application Note AN386. */
#include "port.h"

#include "core/slice.h"

enum operation {
    SYS_OPEN = 1,
    SYS_CLOSE = 2,
    SYS_WRITE = 5,
    SYS_READ = 6,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20
};

#define MODE_READ_BINARY  1u
#define MODE_WRITE_BINARY 5u
#define EXIT_APPLICATION  0x20026u

#define SYST_CSR   (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR   (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR   (*(volatile uint32_t *)0xE000E018u)
#define SYST_MASK  0x00FFFFFFu
#define CALIBRATE  100000u /* turns of a loop of two instructions */
#define STACK_FILL 0xA5A5A5A5u

extern uint32_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[], __stack_bottom[],
    __stack_top[];

static uint64_t ticks_total, ticks_per_loop;
static uint32_t ticks_last;

static uint32_t call(enum operation op, const void *block)
{
    register uint32_t r0 __asm__("r0") = op;
    register const void *r1 __asm__("r1") = block;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

int port_open(const char *name, bool write)
{
    uint32_t block[3] = {(uint32_t)(uintptr_t)name, write ? MODE_WRITE_BINARY : MODE_READ_BINARY,
                         (uint32_t)strlen(name)};
    return (int)call(SYS_OPEN, block);
}

/* The operation returns how many bytes are missing. */
size_t port_read(int file, void *buf, size_t size)
{
    uint32_t block[3] = {(uint32_t)file, (uint32_t)(uintptr_t)buf, size};
    uint32_t missing = call(SYS_READ, block);
    return missing > size ? 0 : size - missing;
}

void port_write(int file, const void *buf, size_t size)
{
    uint32_t block[3] = {(uint32_t)file, (uint32_t)(uintptr_t)buf, size};
    (void)call(SYS_WRITE, block);
}

void port_close(int file)
{
    uint32_t block[1] = {(uint32_t)file};
    (void)call(SYS_CLOSE, block);
}

/* The timer counts down over 24 bits; it is looked at often enough that it goes round at most once in between. */
static uint64_t ticks(void)
{
    uint32_t now = SYST_CVR;

    ticks_total += (ticks_last - now) & SYST_MASK;
    ticks_last = now;
    return ticks_total;
}

static void calibrate(void)
{
    SYST_RVR = SYST_MASK;
    SYST_CVR = 0;
    SYST_CSR = 5; /* on, processor clock */
    ticks_last = SYST_CVR;
    uint64_t before = ticks();
    uint32_t n = CALIBRATE;
    __asm__ volatile("1: subs %0, %0, #1\n bne 1b" : "+r"(n) : : "cc");
    ticks_per_loop = ticks() - before;
}

uint64_t port_millinstructions(void)
{
    return ticks() * 2000u * CALIBRATE / ticks_per_loop;
}

size_t port_stack_used(void)
{
    const uint32_t *p = __stack_bottom;

    while (p < __stack_top && *p == STACK_FILL)
        p++;
    return (size_t)(__stack_top - p) * sizeof *p;
}

static _Noreturn void leave(int code)
{
    uint32_t block[2] = {EXIT_APPLICATION, (uint32_t)code};

    (void)call(SYS_EXIT_EXTENDED, block);
    for (;;)
        ;
}

/* Everything below what is in use now, and a little to spare for this function itself. */
static void fill_stack(void)
{
    uint32_t *here;

    __asm__ volatile("mov %0, sp" : "=r"(here));
    for (uint32_t *p = __stack_bottom; p < here - 16; p++)
        *p = STACK_FILL;
}

static void start(void)
{
    static char line[1024];
    char *word[5] = {0};
    uint32_t block[2] = {(uint32_t)(uintptr_t)line, sizeof line};
    unsigned count = 0;

    memcpy(__data_start, __data_load, (size_t)(__data_end - __data_start) * sizeof *__data_start);
    memset(__bss_start, 0, (size_t)(__bss_end - __bss_start) * sizeof *__bss_start);
    fill_stack();
    (void)call(SYS_GET_CMDLINE, block);
    for (char *p = line; *p != '\0' && count < 5; count++) {
        word[count] = p;
        while (*p != '\0' && *p != ' ')
            p++;
        if (*p == ' ')
            *p++ = '\0';
    }
    calibrate();
    leave(count == 4 ? run_trace(word[1], word[2], word[3]) : 2);
}

static void fault(void)
{
    leave(99);
}

/* What a failed assert comes to. */
_Noreturn void __assert_func(const char *file, int line, const char *function, const char *text);
_Noreturn void __assert_func(const char *file, int line, const char *function, const char *text)
{
    (void)file;
    (void)line;
    (void)function;
    (void)text;
    leave(98);
}

/* Stack pointer, reset, then NMI and the faults. */
extern const void *const vectors[];
__attribute__((section(".vectors"), used))
const void *const vectors[] = {__stack_top,         (const void *)start, (const void *)fault, (const void *)fault,
                               (const void *)fault, (const void *)fault, (const void *)fault};
