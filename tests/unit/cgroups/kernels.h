/* SPDX-License-Identifier: Apache-2.0 */
/* memory.stat in the order of three kernels; the number of a key is its place. */
#ifndef TESTS_CGROUPS_KERNELS_H
#define TESTS_CGROUPS_KERNELS_H

static const char memory_stat_6_1[] =
    "anon 1\nfile 2\nkernel 3\nkernel_stack 4\npagetables 5\nsec_pagetables 6\npercpu 7\n"
    "sock 8\nvmalloc 9\nshmem 10\nzswap 11\nzswapped 12\nfile_mapped 13\nfile_dirty 14\n"
    "file_writeback 15\nswapcached 16\nanon_thp 17\nfile_thp 18\nshmem_thp 19\n"
    "inactive_anon 20\nactive_anon 21\ninactive_file 22\nactive_file 23\nunevictable 24\n"
    "slab_reclaimable 25\nslab_unreclaimable 26\nslab 27\nworkingset_refault_anon 28\n"
    "workingset_refault_file 29\nworkingset_activate_anon 30\nworkingset_activate_file 31\n"
    "workingset_restore_anon 32\nworkingset_restore_file 33\nworkingset_nodereclaim 34\n"
    "pgscan 35\npgsteal 36\npgscan_kswapd 37\npgscan_direct 38\npgsteal_kswapd 39\n"
    "pgsteal_direct 40\npgfault 41\npgmajfault 42\npgrefill 43\npgactivate 44\n"
    "pgdeactivate 45\npglazyfree 46\npglazyfreed 47\nzswpin 48\nzswpout 49\n"
    "thp_fault_alloc 50\nthp_collapse_alloc 51\n";

static const char memory_stat_6_12[] =
    "anon 1\nfile 2\nkernel 3\nkernel_stack 4\npagetables 5\nsec_pagetables 6\npercpu 7\n"
    "sock 8\nvmalloc 9\nshmem 10\nzswap 11\nzswapped 12\nfile_mapped 13\nfile_dirty 14\n"
    "file_writeback 15\nswapcached 16\nanon_thp 17\nfile_thp 18\nshmem_thp 19\n"
    "inactive_anon 20\nactive_anon 21\ninactive_file 22\nactive_file 23\nunevictable 24\n"
    "slab_reclaimable 25\nslab_unreclaimable 26\nslab 27\nworkingset_refault_anon 28\n"
    "workingset_refault_file 29\nworkingset_activate_anon 30\nworkingset_activate_file 31\n"
    "workingset_restore_anon 32\nworkingset_restore_file 33\nworkingset_nodereclaim 34\n"
    "pgdemote_kswapd 35\npgdemote_direct 36\npgdemote_khugepaged 37\npgpromote_success 38\n"
    "pgscan 39\npgsteal 40\npgscan_kswapd 41\npgscan_direct 42\npgscan_khugepaged 43\n"
    "pgsteal_kswapd 44\npgsteal_direct 45\npgsteal_khugepaged 46\npgfault 47\npgmajfault 48\n"
    "pgrefill 49\npgactivate 50\npgdeactivate 51\npglazyfree 52\npglazyfreed 53\n"
    "swpin_zero 54\nswpout_zero 55\nzswpin 56\nzswpout 57\nzswpwb 58\nthp_fault_alloc 59\n"
    "thp_collapse_alloc 60\nthp_swpout 61\nthp_swpout_fallback 62\nnuma_pages_migrated 63\n"
    "numa_pte_updates 64\nnuma_hint_faults 65\n";

static const char memory_stat_6_18[] =
    "anon 1\nfile 2\nkernel 3\nkernel_stack 4\npagetables 5\nsec_pagetables 6\npercpu 7\n"
    "sock 8\nvmalloc 9\nshmem 10\nzswap 11\nzswapped 12\nfile_mapped 13\nfile_dirty 14\n"
    "file_writeback 15\nswapcached 16\nanon_thp 17\nfile_thp 18\nshmem_thp 19\n"
    "inactive_anon 20\nactive_anon 21\ninactive_file 22\nactive_file 23\nunevictable 24\n"
    "slab_reclaimable 25\nslab_unreclaimable 26\nslab 27\nhugetlb 28\n"
    "workingset_refault_anon 29\nworkingset_refault_file 30\nworkingset_activate_anon 31\n"
    "workingset_activate_file 32\nworkingset_restore_anon 33\nworkingset_restore_file 34\n"
    "workingset_nodereclaim 35\npgdemote_kswapd 36\npgdemote_direct 37\n"
    "pgdemote_khugepaged 38\npgdemote_proactive 39\npgpromote_success 40\npgscan 41\n"
    "pgsteal 42\npswpin 43\npswpout 44\npgscan_kswapd 45\npgscan_direct 46\n"
    "pgscan_khugepaged 47\npgscan_proactive 48\npgsteal_kswapd 49\npgsteal_direct 50\n"
    "pgsteal_khugepaged 51\npgsteal_proactive 52\npgfault 53\npgmajfault 54\npgrefill 55\n"
    "pgactivate 56\npgdeactivate 57\npglazyfree 58\npglazyfreed 59\nswpin_zero 60\n"
    "swpout_zero 61\nzswpin 62\nzswpout 63\nzswpwb 64\nthp_fault_alloc 65\n"
    "thp_collapse_alloc 66\nthp_swpout 67\nthp_swpout_fallback 68\nnuma_pages_migrated 69\n"
    "numa_pte_updates 70\nnuma_hint_faults 71\nnuma_task_migrated 72\nnuma_task_swapped 73\n";

#endif
