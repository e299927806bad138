# SPDX-License-Identifier: GPL-3.0-or-later
r"""
@article{SanchezGarcia2018,
  author = {Sanchez-Garcia, Ruben and Segura, Joan and Maluenda, David and Carazo, Jose Maria and Sorzano, Carlos Oscar S.},
  title = {Deep Consensus, a deep learning-based approach for particle pruning in cryo-electron microscopy},
  journal = {IUCrJ},
  volume = {5},
  number = {6},
  pages = {854--865},
  year = {2018},
  doi = {https://doi.org/10.1107/S2052252518014392}
}

@article{Zhu2016,
  author = {Zhu, Yanan and Ouyang, Qi and Mao, Youdong},
  title = {A deep learning approach to single-particle recognition in cryo-electron microscopy},
  journal = {arXiv},
  volume = {1605.05543},
  year = {2016},
  url = {https://arxiv.org/abs/1605.05543}
}

@article{MasoumzadehTork2019,
  author = {Masoumzadeh Tork, Abbas},
  title = {Object Detection Frameworks for Fully Automated Particle Picking in Cryo-EM},
  journal = {Master's thesis, York University, Toronto},
  year = {2019}
}

@article{Zhu2017,
  author = {Zhu, Yanan and Ouyang, Qi and Mao, Youdong},
  title = {A deep convolutional neural network approach to single-particle recognition in cryo-electron microscopy},
  journal = {BMC Bioinformatics},
  volume = {18},
  pages = {348},
  year = {2017},
  doi = {https://doi.org/10.1186/s12859-017-1757-y}
}

@article{Bepler2018,
  author = {Bepler, Tristan and Morin, Andrew and Rapp, Micah and Brasch, Julia and Shapiro, Lawrence and Noble, Alex J. and Berger, Bonnie},
  title = {Positive-unlabeled convolutional neural networks for particle picking in cryo-electron micrographs},
  journal = {arXiv},
  volume = {1803.08207},
  year = {2018},
  url = {https://arxiv.org/abs/1803.08207}
}

@article{Bepler2019,
  author = {Bepler, Tristan and Morin, Andrew and Rapp, Micah and Brasch, Julia and Shapiro, Lawrence and Noble, Alex J. and Berger, Bonnie},
  title = {Positive-unlabeled convolutional neural networks for particle picking in cryo-electron micrographs},
  journal = {Nature Methods},
  volume = {16},
  number = {11},
  pages = {1153--1160},
  year = {2019},
  doi = {https://doi.org/10.1038/s41592-019-0575-8}
}

@mastersthesis{Masoumzadeh2019,
  author = {Masoumzadeh Tork, Abbas},
  title = {Object detection frameworks for fully automated particle picking in cryo-EM},
  journal = {Master's thesis, York University},
  school = {York University},
  address = {Toronto},
  month = aug,
  year = {2019}
}

@article{delaRosaTrevin2016,
  author = {de la Rosa-Trev{\'i}n, J. M. and Quintana, A. and del Cano, L. and Zald{\'i}var, A. and Foche, I. and Guti{\'e}rrez, J. and G{\'o}mez-Blanco, J. and Burguet-Castell, J. and Cuenca-Alba, J. and Abrishami, V. and Vargas, J. and Ot{\'o}n, J. and Sharov, G. and Vilas, J. L. and Navas, J. and Conesa, P. and Kazemi, M. and Marabini, R. and Sorzano, C. O. S. and Carazo, J. M.},
  title = {Scipion: A software framework toward integration, reproducibility and validation in 3D electron microscopy},
  journal = {Journal of Structural Biology},
  volume = {195},
  number = {1},
  pages = {93--99},
  year = {2016},
  doi = {https://doi.org/10.1016/j.jsb.2016.04.010}
}

@article{Vargas2013,
  author = {Vargas, J. and Abrishami, V. and Marabini, R. and de la Rosa-Trev{\'i}n, J. M. and Zaldivar, A. and Carazo, J. M. and Sorzano, C. O. S.},
  title = {Particle quality assessment and sorting for automatic and semiautomatic particle-picking techniques},
  journal = {Journal of Structural Biology},
  volume = {183},
  number = {3},
  pages = {342--353},
  year = {2013},
  doi = {https://doi.org/10.1016/j.jsb.2013.07.015}
}

@article{Voss2009,
  author = {Voss, N. R. and Yoshioka, C. K. and Radermacher, M. and Potter, C. S. and Carragher, B.},
  title = {DoG Picker and TiltPicker: software tools to facilitate particle selection in single particle electron microscopy},
  journal = {Journal of Structural Biology},
  volume = {166},
  number = {2},
  pages = {205--213},
  year = {2009},
  doi = {https://doi.org/10.1016/j.jsb.2009.01.004}
}

@article{Roseman2003,
  author = {Roseman, A. M.},
  title = {Particle finding in electron micrographs using a fast local correlation algorithm},
  journal = {Ultramicroscopy},
  volume = {94},
  number = {3--4},
  pages = {225--236},
  year = {2003},
  doi = {https://doi.org/10.1016/S0304-3991(02)00333-9}
}

@article{Ashman1994,
  author = {Ashman, Keith M. and Bird, Christina M. and Zepf, Stephen E.},
  title = {Detecting bimodality in astronomical datasets},
  journal = {The Astronomical Journal},
  volume = {108},
  pages = {2348--2361},
  year = {1994},
  doi = {https://doi.org/10.1086/117248}
}

@article{Kiryo2017,
  author = {Kiryo, Ryuichi and Niu, Gang and du Plessis, Marthinus C. and Sugiyama, Masashi},
  title = {Positive-Unlabeled Learning with Non-Negative Risk Estimator},
  journal = {Advances in Neural Information Processing Systems},
  volume = {30},
  pages = {1675--1685},
  year = {2017},
  doi = {https://doi.org/10.48550/arXiv.1703.00593}
}

@misc{Chollet2015,
  author = {Chollet, Fran{\c{c}}ois and others},
  title = {Keras},
  journal = {keras.io},
  year = {2015},
  url = {https://keras.io}
}

@article{Vulovic2013,
  author = {Vulovi{\'c}, Milo{\v{s}} and Ravelli, Raimond B. G. and van Vliet, Lucas J. and Koster, Abraham J. and Lazi{\'c}, Ivan and L{\"u}cken, Uwe and Rullg{\aa}rd, Hans and {\"O}ktem, Ozan and Rieger, Bernd},
  title = {Image formation modeling in cryo-electron microscopy},
  journal = {Journal of Structural Biology},
  volume = {183},
  number = {1},
  pages = {19--32},
  year = {2013},
  doi = {https://doi.org/10.1016/j.jsb.2013.05.008}
}

@article{Peng1996,
  author = {Peng, L.-M. and Ren, G. and Dudarev, S. L. and Whelan, M. J.},
  title = {Robust parameterization of elastic and absorptive electron atomic scattering factors},
  journal = {Acta Crystallographica Section A},
  volume = {52},
  number = {2},
  pages = {257--276},
  year = {1996},
  doi = {https://doi.org/10.1107/S0108767395014371}
}

@article{McMullan2014,
  author = {McMullan, G. and Faruqi, A. R. and Clare, D. and Henderson, R.},
  title = {Comparison of optimal performance at 300 keV of three direct electron detectors for use in low dose electron microscopy},
  journal = {Ultramicroscopy},
  volume = {147},
  pages = {156--163},
  year = {2014},
  doi = {https://doi.org/10.1016/j.ultramic.2014.08.002}
}

@article{Rice2018,
  author = {Rice, William J. and Cheng, Anchi and Noble, Alex J. and Eng, Edward T. and Kim, Laura Y. and Carragher, Bridget and Potter, Clinton S.},
  title = {Routine determination of ice thickness for cryo-EM grids},
  journal = {Journal of Structural Biology},
  volume = {204},
  number = {1},
  pages = {38--44},
  year = {2018},
  doi = {https://doi.org/10.1016/j.jsb.2018.06.007}
}

@article{Scheres2012,
  author = {Scheres, Sjors H. W. and Chen, Shaoxia},
  title = {Prevention of overfitting in cryo-EM structure determination},
  journal = {Nature Methods},
  volume = {9},
  number = {9},
  pages = {853-854},
  year = {2012},
  doi = {10.1038/nmeth.2115}
}

@article{Northcutt2021,
  author = {Northcutt, Curtis G. and Jiang, Lu and Chuang, Isaac L.},
  title = {Confident learning: estimating uncertainty in dataset labels},
  journal = {Journal of Artificial Intelligence Research},
  volume = {70},
  pages = {1373--1411},
  year = {2021},
  doi = {https://doi.org/10.1613/jair.1.12125}
}
"""
